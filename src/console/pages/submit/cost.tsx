import type { PricesView } from '../../../api/wire/bill.ts'
import type { Submitted } from '../../../api/wire/workload.ts'
import { HOUR_MS } from '../../../base/units.ts'
import { useAnswer } from '../../core/answer.ts'
import { useSignedIn } from '../../core/session.ts'
import { countText, gpuHoursText, numberText } from '../../core/values.ts'

type Spec = Submitted['specs'][number]

/** What a run costs that takes as long as its submitter expects, and at most: GPU-hours, and money where there are prices. */
export function Cost({ spec }: { readonly spec: Spec }) {
  const { client } = useSignedIn()
  const prices = useAnswer('prices', (signal) => client.getPrices({}, { signal }))
  const gpus = gpusOf(spec)
  if (gpus === undefined) {
    const { shape } = spec.resources
    return <p class="muted">Takes {shape.kind === 'nodes' && countText(shape.nodes, 'whole node')}.</p>
  }
  const { expectedMs, limitMs } = spec
  const rates = prices.data ? ratesOf(spec, prices.data) : []
  const money = (ms: number) => moneyText(rates, (gpus * ms) / HOUR_MS, prices.data?.currency ?? '')
  return (
    <>
      <p>
        Takes <b>{countText(gpus, 'GPU')}</b>
        {expectedMs !== undefined && (
          <>
            ; expected <b>{gpuHoursText(gpus * expectedMs)} GPU-hours</b>
            {money(expectedMs)}
          </>
        )}
        {limitMs !== undefined && (
          <>
            ; at most {gpuHoursText(gpus * limitMs)} GPU-hours{money(limitMs)} for an attempt
          </>
        )}
        .
      </p>
      {expectedMs === undefined && limitMs === undefined && (
        <p class="hint">With an expected time or a limit its cost can be told, and it may start sooner.</p>
      )}
      {prices.data?.currency === '' && <p class="hint">There are no prices; operators set them.</p>}
    </>
  )
}

function gpusOf({ resources: { shape } }: Spec): number | undefined {
  if (shape.kind === 'gpus') return shape.gpus
  if (shape.kind === 'fraction') return shape.milliGpus / 1000
  return shape.gpusPerNode === undefined ? undefined : shape.nodes * shape.gpusPerNode
}

/** What a GPU-hour costs on the GPUs that would do, each price once. */
function ratesOf({ resources: { gpu } }: Spec, { gpuModels }: PricesView): number[] {
  const isWanted = (model: string) =>
    !gpu?.models || gpu.models.some((name) => model.toLowerCase().startsWith(name.toLowerCase()))
  return [
    ...new Set(
      gpuModels.flatMap(({ gpuModel, perGpuHour }) =>
        isWanted(gpuModel) && perGpuHour !== undefined ? perGpuHour : [],
      ),
    ),
  ]
}

function moneyText(rates: readonly number[], hours: number, currency: string): string {
  if (rates.length === 0) return ''
  const [least, most] = [Math.min(...rates) * hours, Math.max(...rates) * hours].map(rounded)
  return ` (${least === most ? least : `${least} to ${most}`} ${currency})`
}

function rounded(amount: number): string {
  return numberText(amount < 100 ? amount : Math.round(amount))
}
