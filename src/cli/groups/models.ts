import type { Group } from './group.ts'
import { decimal, wholeNumber } from './option-values.ts'

/** Served models. */
export function addModels(group: Group): void {
  group
    .command('endpoints', 'list served models')
    .action(group.run(async (cli) => (await import('../commands/endpoints.ts')).listEndpoints(cli)))
  group
    .command('chat', 'talk with a served model')
    .argument(
      '[words...]',
      'the model, unless only one is served, and a prompt; without a prompt a conversation begins',
    )
    .option('--system <text>', 'how the model shall behave')
    .option('--max-tokens <n>', 'length of an answer at most', wholeNumber)
    .option('--temperature <t>', 'how freely it chooses', decimal)
    .action(
      group.run(async (cli, words, options) =>
        (await import('../commands/chat.ts')).chat(cli, words, options),
      ),
    )
  group
    .command('scale', 'change the number of replicas of a served model')
    .argument('<workload>', 'id or name')
    .argument('<replicas>', 'how many', wholeNumber)
    .action(
      group.run(async (cli, id, replicas) => (await import('../commands/again.ts')).scale(cli, id, replicas)),
    )
}
