import type { AwsError } from './aws-error.ts';
import type { Answer, AnswerValue } from './operation.ts';

export interface Envelope {
  readonly namespace: string;
  readonly operation: string;
  readonly requestId: string;
}

export function answerXml({ namespace, operation, requestId }: Envelope, answer: Answer | undefined): string {
  const result = answer === undefined ? '' : `<${operation}Result>${members(answer)}</${operation}Result>`;
  const metadata = `<ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>`;
  return `<${operation}Response xmlns="${namespace}">${result}${metadata}</${operation}Response>`;
}

export function errorXml(namespace: string, requestId: string, error: AwsError): string {
  const type = error.status < 500 ? 'Sender' : 'Receiver';
  const body = `<Type>${type}</Type><Code>${error.code}</Code><Message>${escaped(error.message)}</Message>`;
  return `<ErrorResponse xmlns="${namespace}"><Error>${body}</Error><RequestId>${requestId}</RequestId></ErrorResponse>`;
}

function members(answer: Answer): string {
  return Object.entries(answer)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `<${name}>${text(value)}</${name}>`)
    .join('');
}

function text(value: AnswerValue): string {
  if (value === undefined) return '';
  if (value instanceof Date) return seconds(value);
  if (value instanceof Map) return [...value].map(([key, item]) => `<entry><key>${key}</key><value>${item}</value></entry>`).join('');
  if (isList(value)) return value.map((item) => `<member>${text(item)}</member>`).join('');
  return typeof value === 'object' ? members(value as Answer) : escaped(String(value));
}

/** `Array.isArray` does not narrow a readonly array. */
const isList = (value: AnswerValue): value is readonly AnswerValue[] => Array.isArray(value);

/** The query protocol gives times in whole seconds. */
export const seconds = (date: Date): string => date.toISOString().replace(/\.\d{3}Z$/, 'Z');

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', '\r': '&#xD;' };

function escaped(value: string): string {
  return value.replace(/[&<>"\r]/g, (character) => ENTITIES[character] ?? character);
}
