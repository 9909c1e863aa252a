import type { WorkloadView } from '../../api/wire/workload.ts'
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from '../../base/units.ts'

type Spec = WorkloadView['spec']

/**
 * The spec as a person would write it, with the fields of docs/spec.md. What stands at its default is written out too;
 * CPU and memory that Slurm asked for have no field.
 */
export function writtenSpec(spec: Spec): Record<string, unknown> {
  const { type, priority, preemptible, resources, program, retry, expectedMs, limitMs } = spec
  const index = spec.type === 'train' ? spec.arrayIndex : undefined
  return given({
    type,
    name: index === undefined ? spec.name : spec.name.replace(new RegExp(`-${index}$`), ''),
    ...sizeOf(resources),
    gpu: gpuOf(resources),
    elastic: resources.elastic,
    topology: topologyOf(resources),
    ...(type === 'machines' ? {} : programOf(program)),
    priority,
    preemptible,
    time: emptyToNothing({ expected: durationText(expectedMs), limit: durationText(limitMs) }),
    retry,
    ...ownFields(spec),
    array: index === undefined ? undefined : `${index}`,
  })
}

function sizeOf({ shape }: Spec['resources']): Record<string, unknown> {
  if (shape.kind === 'gpus') return { gpus: shape.gpus }
  if (shape.kind === 'fraction') return { gpus: shape.milliGpus / 1000 }
  return given({ nodes: shape.nodes, gpusPerNode: shape.gpusPerNode })
}

function gpuOf({ gpu }: Spec['resources']): Record<string, unknown> | undefined {
  if (!gpu) return undefined
  const { models, minMemoryBytes: least, maxMemoryBytes: most } = gpu
  const memory =
    least === undefined && most === undefined ? undefined : `${bytesText(least)}..${bytesText(most)}`
  return emptyToNothing({ model: models ? [...models] : undefined, memory })
}

function bytesText(bytes: number | undefined): string {
  return bytes === undefined ? '' : `${bytes}B`
}

function topologyOf({ within, segment, spread }: Spec['resources']): Record<string, unknown> | undefined {
  return emptyToNothing({
    within: within && given({ level: within.level, mode: within.mode, wait: durationText(within.waitMs) }),
    segment,
    spread: spread?.level,
  })
}

function programOf({ run, env, workdir, image, tasksPer }: Spec['program']): Record<string, unknown> {
  const [only, ...others] = run
  return given({
    run: others.length === 0 ? only : [...run],
    tasksPer,
    env: Object.keys(env).length > 0 ? env : undefined,
    workdir,
    image,
  })
}

function ownFields(spec: Spec): Record<string, unknown> {
  switch (spec.type) {
    case 'train': {
      const { checkpoint, dependsOn, plan } = spec
      return {
        plan,
        checkpoint:
          checkpoint &&
          given({
            path: checkpoint.path,
            every: durationText(checkpoint.everyMs),
            grace: durationText(checkpoint.graceMs),
          }),
        dependsOn: dependsOn.length > 0 ? [...dependsOn] : undefined,
      }
    }
    case 'serve': {
      const { model, replicas, readiness } = spec
      const { path, timeoutMs, everyMs } = readiness
      return {
        model,
        replicas,
        readiness: { path, timeout: durationText(timeoutMs), every: durationText(everyMs) },
      }
    }
    case 'machines':
      return { count: spec.count }
  }
}

/** The span in the largest unit that says it exactly. */
export function durationText(ms: number | undefined): string | undefined {
  if (ms === undefined) return undefined
  for (const [unit, size] of [
    ['d', DAY_MS],
    ['h', HOUR_MS],
    ['m', MINUTE_MS],
    ['s', SECOND_MS],
  ] as const) {
    if (ms > 0 && ms % size === 0) return `${ms / size}${unit}`
  }
  return ms % SECOND_MS === 0 ? `${ms / SECOND_MS}s` : `${ms}ms`
}

function given(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

function emptyToNothing(fields: Record<string, unknown>): Record<string, unknown> | undefined {
  const there = given(fields)
  return Object.keys(there).length > 0 ? there : undefined
}
