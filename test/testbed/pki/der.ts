/**
 * The little of ASN.1's DER that an X.509 certificate needs (X.690). Each function returns one whole element: tag, length, content.
 */
export const sequence = (...parts: Uint8Array[]): Buffer => element(0x30, ...parts);
export const set = (...parts: Uint8Array[]): Buffer => element(0x31, ...parts);
export const boolean = (value: boolean): Buffer => element(0x01, Buffer.of(value ? 0xff : 0));
export const octetString = (content: Uint8Array): Buffer => element(0x04, content);
export const utf8String = (text: string): Buffer => element(0x0c, Buffer.from(text));

/** `[number]`, holding whole elements. */
export const explicit = (number: number, ...parts: Uint8Array[]): Buffer => element(0xa0 | number, ...parts);

/** `[number]` in place of a primitive type's own tag. */
export const implicit = (number: number, content: Uint8Array): Buffer => element(0x80 | number, content);

/** A number that is not negative, most significant byte first. */
export function integer(bytes: Uint8Array): Buffer {
  const first = bytes.findIndex((byte) => byte !== 0);
  const magnitude = first === -1 ? Buffer.of(0) : bytes.subarray(first);
  // A leading bit of one would make it negative.
  return element(0x02, ...((magnitude[0] ?? 0) >= 0x80 ? [Buffer.of(0)] : []), magnitude);
}

/** `unused`: how many of the last bits do not count. */
export const bitString = (content: Uint8Array, unused = 0): Buffer => element(0x03, Buffer.of(unused), content);

/** `2.5.4.3`: the first two numbers share a byte, the others are in base 128, most significant first. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return element(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

/** To the second, two digits of the year: for the years 1950 to 2049, where X.509 wants this form. */
export function utcTime(time: Date): Buffer {
  return element(0x17, Buffer.from(`${time.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));
}

function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.of(tag), length(content.length), content]);
}

/** Under 128 one byte; else the number of bytes that follow, then the length in them. */
function length(size: number): Buffer {
  if (size < 0x80) return Buffer.of(size);
  const hex = size.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  return Buffer.concat([Buffer.of(0x80 | bytes.length), bytes]);
}

function base128(number: number): number[] {
  const digits = [number & 0x7f];
  for (let rest = number >> 7; rest > 0; rest >>= 7) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}
