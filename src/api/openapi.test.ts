import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import { contractOf, OPERATIONS } from './contracts.ts'
import { openApiDocument } from './openapi.ts'

describe('the OpenAPI document', () => {
  const document = openApiDocument('1.2.3')

  test('is valid OpenAPI 3.1', async () => {
    const validator = new Validator()
    const result = await validator.validate(structuredClone(document))
    expect(result.errors ?? []).toEqual([])
    expect(validator.version).toBe('3.1')
  })

  test('refers only to schemas that it has', () => {
    const text = JSON.stringify(document)
    const schemas = (document.components as { schemas: object }).schemas
    const wanted = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name!)
    expect(wanted.length).toBeGreaterThan(50)
    expect(wanted.filter((name) => !(name in schemas))).toEqual([])
    expect(text).not.toContain('$defs')
  })

  test('has every operation once, each under its own path and method', () => {
    const paths = document.paths as Record<string, Record<string, { operationId: string }>>
    const found = Object.values(paths).flatMap((methods) => Object.values(methods).map((o) => o.operationId))
    expect(found.sort()).toEqual([...OPERATIONS].sort())
  })
})

describe('the table of contracts', () => {
  test.each(OPERATIONS)(
    '%s: path parameters and schema agree, and no input name stands twice',
    (operation) => {
      const { path, params, query, body } = contractOf(operation)
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      expect(inPath).toEqual(Object.keys(params?.shape ?? {}))
      const bodyShape = body && 'shape' in body ? Object.keys(body.shape as object) : []
      const names = [...inPath, ...Object.keys(query?.shape ?? {}), ...bodyShape]
      expect(new Set(names).size).toBe(names.length)
    },
  )
})
