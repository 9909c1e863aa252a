import { posix } from 'node:path'
import { type Finding, isTest, lineAt, type Module, manifestOf, type Rule } from '../project.ts'
import { type Room, roomCalled, roomNameOf } from '../rooms.ts'
import type { Import } from '../syntax.ts'

/**
 * Rooms are imported only downwards, and each uses only the packages and the host that it may. Test files beside
 * the code may import Node and the packages for development too.
 */
export const roomImports: Rule = (project) => {
  const testPackages = Object.keys(manifestOf(project).devDependencies)
  return project.modules.flatMap((module) =>
    module.syntax.imports.flatMap((imported) => {
      const message = objection(module.path, imported, testPackages)
      return message === undefined ? [] : [finding(module, imported, message)]
    }),
  )
}

function finding({ path, text }: Module, { offset }: Import, message: string): Finding {
  return { path, line: lineAt(text, offset), message }
}

function objection(path: string, { specifier }: Import, testPackages: readonly string[]): string | undefined {
  const roomName = roomNameOf(path)
  if (roomName === undefined)
    return path.startsWith('examples/') ? exampleObjection(path, specifier) : undefined
  const room = roomCalled(roomName)
  if (!room)
    return `src/${roomName} is not in the rooms table; move the file, or add the room to test/tidy/rooms.ts`
  if (specifier.startsWith('node:')) return hostObjection(path, roomName, room)
  if (!specifier.startsWith('.')) {
    const name = packageOf(specifier)
    return isTest(path) && testPackages.includes(name) ? undefined : packageObjection(roomName, room, name)
  }
  return roomObjection(path, roomName, room, posix.join(posix.dirname(path), specifier))
}

function roomObjection(path: string, roomName: string, room: Room, target: string): string | undefined {
  if (target.startsWith('data/')) return undefined
  const targetRoom = roomNameOf(target)
  if (targetRoom === undefined) {
    return `imports ${target}, which is not part of the installed package; move what is shared below src or data`
  }
  if (targetRoom === roomName) return undefined
  const allowed = [...room.rooms, ...ownCommandRooms(path, room)]
  if (allowed.some((name) => target === `src/${name}.ts` || target.startsWith(`src/${name}/`)))
    return undefined
  const list = allowed.length > 0 ? allowed.join(', ') : 'no other room'
  return `${roomName} must not import ${targetRoom}: it may import ${list}; pass the value in, or move the concept down`
}

function ownCommandRooms(path: string, room: Room): string[] {
  const inner = path.split('/').slice(2).join('/')
  return Object.entries(room.ownCommands ?? {}).flatMap(([name, word]) =>
    inner.includes(word) ? [name] : [],
  )
}

function packageObjection(roomName: string, room: Room, name: string): string | undefined {
  if (room.packages.includes(name)) return undefined
  const allowed = room.packages.length > 0 ? room.packages.join(', ') : 'no package'
  return `${roomName} must not import the package ${name}: it may use ${allowed} (test/tidy/rooms.ts)`
}

function hostObjection(path: string, roomName: string, room: Room): string | undefined {
  if (room.host === 'node' || isTest(path)) return undefined
  return `${roomName} must not import Node's modules; take what they give as an argument, and read it in an adapter or the server`
}

/** Examples are a user's own programs: they run where Banyan is installed without its sources. */
function exampleObjection(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined
  const target = posix.join(posix.dirname(path), specifier)
  return target.startsWith('examples/') ? undefined : `an example must stand alone, but imports ${target}`
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
