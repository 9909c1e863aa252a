import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { allocatedGpus, isFinal, NODE_STATES, WORKLOAD_STATES } from '../model/index.ts'
import type { Ledger } from './ledger.ts'

/** Numbers of this process and of the machine it runs, for Prometheus. */
export class Metrics {
  readonly registry = new Registry()
  readonly requests: Counter<'model' | 'status'>
  readonly latencySeconds: Histogram<'model'>

  constructor(ledger: Ledger) {
    const registers = [this.registry]
    collectDefaultMetrics({ register: this.registry })
    new Gauge({
      name: 'banyan_workloads',
      help: 'Live workloads by state',
      labelNames: ['state'],
      registers,
      collect() {
        for (const state of WORKLOAD_STATES) if (!isFinal(state)) this.set({ state }, 0)
        for (const { state } of ledger.state.workloads.values()) this.inc({ state })
      },
    })
    new Gauge({
      name: 'banyan_nodes',
      help: 'Nodes by state',
      labelNames: ['state'],
      registers,
      collect() {
        for (const state of NODE_STATES) this.set({ state }, 0)
        for (const { state } of ledger.state.nodes.values()) this.inc({ state })
      },
    })
    new Gauge({
      name: 'banyan_gpus',
      help: 'GPUs of all nodes, and those held by attempts',
      labelNames: ['kind'],
      registers,
      collect() {
        let total = 0
        for (const node of ledger.state.nodes.values()) total += node.gpuCount
        let held = 0
        for (const attempt of ledger.state.attempts.values()) held += allocatedGpus(attempt.allocation)
        this.set({ kind: 'total' }, total)
        this.set({ kind: 'held' }, held)
      },
    })
    const events = new Counter({
      name: 'banyan_events_total',
      help: 'Events of the ledger since this process started',
      labelNames: ['kind'],
      registers,
    })
    ledger.subscribe((batch) => {
      for (const { event } of batch) events.inc({ kind: event.kind })
    })
    this.requests = new Counter({
      name: 'banyan_gateway_requests_total',
      help: 'Requests to served models',
      labelNames: ['model', 'status'],
      registers,
    })
    this.latencySeconds = new Histogram({
      name: 'banyan_gateway_latency_seconds',
      help: 'Time until the last byte of an answer of a served model',
      labelNames: ['model'],
      buckets: [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100],
      registers,
    })
  }

  text(): Promise<string> {
    return this.registry.metrics()
  }
}
