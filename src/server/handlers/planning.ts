import { servingPlan, trainingPlan } from '../planning.ts'
import type { HandlersOf } from './part.ts'

export const planningHandlers: HandlersOf<'planTraining' | 'planServing'> = {
  planTraining: async (input, context) => trainingPlan(context, input),
  planServing: async (input, context) => servingPlan(context, input),
}
