import { useMemo } from 'preact/hooks'
import { useAnswer } from '../../core/answer.ts'
import { serverNow } from '../../core/clock.ts'
import { go, usePlace } from '../../core/place.ts'
import { useSignedIn } from '../../core/session.ts'
import { Answered, Empty } from '../../parts/notes.tsx'
import { PageHead } from '../../parts/page-head.tsx'
import { Tabs } from '../../parts/tabs.tsx'
import { PlanForm, type Purpose } from './plan-form.tsx'
import {
  type Read,
  type ServingQuestion,
  servingQuestion,
  type TrainingQuestion,
  trainingQuestion,
  type Written,
} from './question.ts'
import { ServingAnswer } from './serving-answer.tsx'
import { TrainingAnswer } from './training-answer.tsx'

const PURPOSES: Readonly<Record<Purpose, string>> = { training: 'Training', serving: 'Serving' }

/** What training or serving a model takes, before anybody waits for it or buys for it. */
export function PlanPage() {
  const { client } = useSignedIn()
  const { params } = usePlace()
  const subjects = useAnswer('plan/subjects', (signal) => client.listPlanSubjects({}, { signal }))
  const address = params.toString()
  // Spans such as `30d` count from when the question was asked, so that it does not change from second to second.
  const asked = useMemo(() => questionOf(Object.fromEntries(new URLSearchParams(address))), [address])
  const { purpose, written } = asked
  return (
    <div class="stack">
      <PageHead
        title="Plan"
        lead="What a model takes to train or to serve, and the best way to spread it. Nothing is submitted."
      >
        <Tabs
          label="What for"
          names={PURPOSES}
          value={purpose}
          onChange={(next) => go(pathOf(next, shared(written)))}
        />
      </PageHead>
      <section class="card" aria-label="Question">
        <div class="card-body">
          <PlanForm
            key={address}
            purpose={purpose}
            written={written}
            faults={asked.faults ?? {}}
            subjects={subjects.data}
            onAsk={(next) => go(pathOf(purpose, next))}
          />
        </div>
      </section>
      {written.model === undefined ? (
        <Empty title="The plan will stand here">
          <p>Name a model. Without a date or a budget the plan is for all of the machine.</p>
        </Empty>
      ) : asked.faults ? (
        <Empty title="The question has faults; they stand in the form" />
      ) : asked.purpose === 'training' ? (
        <Training
          question={asked.question}
          toSize={(gpus) => pathOf(purpose, { ...written, by: '', budget: '', gpus: `${gpus}` })}
        />
      ) : (
        <Serving question={asked.question} />
      )}
    </div>
  )
}

type Asked = { readonly written: Written } & (
  | ({ readonly purpose: 'training' } & Read<TrainingQuestion>)
  | ({ readonly purpose: 'serving' } & Read<ServingQuestion>)
)

/** What an address asks, or what is wrong with it. */
function questionOf({ for: purpose, ...written }: Written): Asked {
  return purpose === 'serving'
    ? { purpose, written, ...servingQuestion(written) }
    : { purpose: 'training', written, ...trainingQuestion(written, serverNow()) }
}

function pathOf(purpose: Purpose, written: Written): string {
  const asked = Object.entries<string>({ for: purpose, ...written }).filter(([, value]) => value !== '')
  return `/plan?${new URLSearchParams(asked).toString()}`
}

/** What both purposes ask. */
function shared(written: Written): Written {
  const names = ['model', 'on', 'nodes', 'precision', 'price']
  return Object.fromEntries(names.flatMap((name) => (written[name] ? [[name, written[name]]] : [])))
}

interface TrainingProps {
  readonly question: TrainingQuestion
  readonly toSize: (gpus: number) => string
}

function Training({ question, toSize }: TrainingProps) {
  const { client } = useSignedIn()
  const answer = useAnswer(`plan/${JSON.stringify(question)}`, (signal) =>
    client.planTraining(question, { signal }),
  )
  return (
    <Answered answer={answer} what="the plan">
      {(plan) => <TrainingAnswer plan={plan} toSize={toSize} />}
    </Answered>
  )
}

function Serving({ question }: { readonly question: ServingQuestion }) {
  const { client } = useSignedIn()
  const answer = useAnswer(`plan/serving/${JSON.stringify(question)}`, (signal) =>
    client.planServing(question, { signal }),
  )
  return (
    <Answered answer={answer} what="the plan">
      {(plan) => <ServingAnswer plan={plan} />}
    </Answered>
  )
}
