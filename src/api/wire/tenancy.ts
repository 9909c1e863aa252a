import { z } from 'zod'
import { ROLES } from '../../model/index.ts'
import { named, type WireOf } from '../schema.ts'
import { name, timeMs } from './primitives.ts'

export const organisation = named('Organisation', 'A tenant.', z.object({ id: z.string() }))
export type OrganisationView = WireOf<typeof organisation>

export const team = named(
  'Team',
  'A team of an organisation; its id is `organisation/team`, and so is its queue.',
  z.object({ id: z.string(), organisation: z.string() }),
)
export type TeamView = WireOf<typeof team>

export const user = named(
  'User',
  'A person or a program that calls the API.',
  z.object({
    id: z.string(),
    organisation: z.string(),
    teams: z.array(z.string()),
    role: z.enum(ROLES),
    signIn: z
      .object({ issuer: z.string(), subject: z.string() })
      .exactOptional()
      .describe('whom an identity provider knows them as'),
  }),
)
export type UserView = WireOf<typeof user>

export const token = named(
  'Token',
  'A credential without its secret.',
  z.object({
    id: z.string().describe("the first 16 hexadecimal digits of the secret's SHA-256"),
    user: z.string(),
    label: z.string(),
    expiresAt: timeMs().exactOptional(),
  }),
)
export type TokenView = WireOf<typeof token>

export const issuedToken = named(
  'IssuedToken',
  'A new credential with its secret, which is shown this once.',
  token.extend({ secret: z.string() }),
)
export type IssuedToken = WireOf<typeof issuedToken>

export const newOrganisation = named('NewOrganisation', 'A tenant to create.', z.strictObject({ id: name() }))

export const newTeam = named(
  'NewTeam',
  'A team to create.',
  z.strictObject({ organisation: name(), name: name() }),
)

export const userSettings = named(
  'UserSettings',
  'A user to create or change.',
  z.strictObject({
    organisation: name(),
    teams: z
      .array(z.string())
      .max(1000)
      .default([])
      .describe('full ids (`organisation/team`) or names within it'),
    role: z.enum(ROLES).default('member'),
  }),
)

export const newToken = named(
  'NewToken',
  'A credential to issue.',
  z.strictObject({
    user: z.string().optional().describe('the caller when left out'),
    label: z.string().min(1).max(200),
    expiresAt: timeMs().optional(),
  }),
)
