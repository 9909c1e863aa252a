#!/usr/bin/env node
import { processIo } from './io.ts'
import { runCli } from './run-cli.ts'

const io = processIo()

// A reader that went away (`banyan logs | head`) is no fault of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runCli(process.argv.slice(2), io)
