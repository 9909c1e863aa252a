import { knownSubjects } from '../../planner/index.ts'
import { servingPlan, trainingPlan } from '../planning.ts'
import type { HandlersOf } from './part.ts'

export const planningHandlers: HandlersOf<'planTraining' | 'planServing' | 'listPlanSubjects'> = {
  planTraining: async (input, context) => trainingPlan(context, input),
  planServing: async (input, context) => servingPlan(context, input),
  listPlanSubjects: async () => knownSubjects(),
}
