// The shapes of OpenAI's completions API: https://platform.openai.com/docs/api-reference/chat

export class RequestError extends Error {
  constructor(status, { message, param = null, code = null, type = 'invalid_request_error' }) {
    super(message)
    this.status = status
    this.body = { error: { message, type, param, code } }
  }
}

export const textKind = {
  readPrompt: ({ prompt }) => {
    const text = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
    if (typeof text !== 'string') refuse('prompt', 'must be one text')
    return text
  },
  id: 'cmpl',
  whole: { object: 'text_completion', choice: (text) => ({ text }) },
  chunk: { object: 'text_completion', choice: (text) => ({ text }) },
}

/** The model knows no roles: it goes on from the messages, one paragraph each. */
export const chatKind = {
  readPrompt: ({ messages }) => {
    if (!Array.isArray(messages) || messages.length === 0)
      refuse('messages', 'must be a list of at least one message')
    return messages.map(messageText).join('\n\n')
  },
  id: 'chatcmpl',
  whole: {
    object: 'chat.completion',
    choice: (text) => ({ message: { role: 'assistant', content: text, refusal: null } }),
  },
  chunk: {
    object: 'chat.completion.chunk',
    choice: (text) => ({ delta: { role: 'assistant', content: text } }),
  },
}

/** What `generate` takes, and `stream` and `includeUsage`. Throws a RequestError that names the field. */
export function readRequest(body, kind, modelName) {
  if (typeof body !== 'object' || body === null) refuse(null, 'the body must be a JSON object')
  if (body.model !== modelName) {
    const message = `the model "${body.model}" does not exist here; this server has "${modelName}"`
    throw new RequestError(404, { message, param: 'model', code: 'model_not_found' })
  }
  if ((body.n ?? 1) !== 1) refuse('n', 'must be 1')
  const stop = body.stop ?? []
  return {
    prompt: kind.readPrompt(body),
    maxTokens: number(
      body,
      body.max_completion_tokens === undefined ? 'max_tokens' : 'max_completion_tokens',
      200,
      1,
      4096,
    ),
    temperature: number(body, 'temperature', 0.7, 0, 2),
    topP: number(body, 'top_p', 1, 0, 1),
    seed: number(body, 'seed', Math.floor(Math.random() * 2 ** 31), -(2 ** 53), 2 ** 53),
    stop: texts(Array.isArray(stop) ? stop : [stop]),
    stream: body.stream === true,
    includeUsage: body.stream_options?.include_usage === true,
  }
}

/** One answer, or one chunk of a streamed one. */
export function completion(kind, form, { id, created, model }, { text, reason = null, usage }) {
  const choices =
    text === undefined ? [] : [{ index: 0, ...form.choice(text), logprobs: null, finish_reason: reason }]
  return {
    id: `${kind.id}-${id}`,
    object: form.object,
    created,
    model,
    choices,
    ...(usage ? { usage: usageOf(usage) } : {}),
  }
}

function usageOf({ promptTokens, completionTokens }) {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
  }
}

function messageText({ content }) {
  if (typeof content === 'string') return content
  if (Array.isArray(content) && content.every((part) => part?.type === 'text'))
    return content.map((part) => part.text).join('')
  return refuse('messages', 'must have text content only')
}

function number(body, name, otherwise, least, most) {
  const value = body[name] ?? otherwise
  if (typeof value !== 'number' || !(value >= least && value <= most))
    refuse(name, `must be a number from ${least} to ${most}`)
  return value
}

function texts(stop) {
  if (stop.length > 4 || stop.some((text) => typeof text !== 'string'))
    refuse('stop', 'must be up to four texts')
  return stop.filter((text) => text !== '')
}

function refuse(param, problem) {
  throw new RequestError(400, { message: param ? `${param} ${problem}` : problem, param })
}
