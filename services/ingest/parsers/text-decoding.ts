import { binaryContent } from "./parse-errors.ts";

/** Enough to tell text from binary data; more would cost time on each large document. */
const sampleBytes = 64 * 1024;

/**
 * Bytes as text, with "\n" line ends. In this order: byte order mark, declared charset, UTF-16 by its zero bytes,
 * UTF-8, and windows-1252 (a superset of Latin-1) for what is none of these.
 *
 * @param charset as declared, or empty
 * @throws HeadwaterError HW_DOCUMENT_BINARY where the bytes are no text
 */
export function decodeText(content: Uint8Array, charset = ""): string {
  const text = decode(content, charset);
  if (looksBinary(text)) throw binaryContent();
  return text.includes("\r") ? text.replace(/\r\n?/g, "\n") : text;
}

function decode(content: Uint8Array, charset: string): string {
  const marked = byteOrderMark(content);
  if (marked) return new TextDecoder(marked).decode(content);
  const declared = decoderFor(charset);
  if (declared && declared.encoding !== "utf-8") return declared.decode(content);
  const utf16 = guessUtf16(content);
  if (utf16) return new TextDecoder(utf16).decode(content);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch {
    return decodeDamaged(content);
  }
}

/** Not valid UTF-8: either UTF-8 with a few bad bytes (a cut file, a bad join), or an 8-bit code page. */
function decodeDamaged(content: Uint8Array): string {
  const lenient = new TextDecoder("utf-8").decode(content);
  const damaged = lenient.split("\ufffd").length - 1;
  const multibyte = lenient.match(/[\u0080-\ufffc]/g)?.length ?? 0;
  return multibyte > damaged ? lenient : new TextDecoder("windows-1252").decode(content);
}

function byteOrderMark(content: Uint8Array): string | undefined {
  const [first, second, third] = content;
  if (first === 0xef && second === 0xbb && third === 0xbf) return "utf-8";
  if (first === 0xff && second === 0xfe) return "utf-16le";
  if (first === 0xfe && second === 0xff) return "utf-16be";
  return undefined;
}

/** Text of European languages in UTF-16 has a zero in nearly every second byte, and none in the others. */
function guessUtf16(content: Uint8Array): string | undefined {
  const sample = content.subarray(0, 4096);
  if (sample.length < 4 || content.length % 2 !== 0) return undefined;
  let even = 0;
  let odd = 0;
  for (let at = 0; at < sample.length; at++) {
    if (sample[at] !== 0) continue;
    if (at % 2 === 0) even++;
    else odd++;
  }
  const pairs = sample.length / 2;
  if (odd > pairs * 0.4 && even < pairs * 0.05) return "utf-16le";
  if (even > pairs * 0.4 && odd < pairs * 0.05) return "utf-16be";
  return undefined;
}

function decoderFor(charset: string): TextDecoder | undefined {
  if (charset === "") return undefined;
  try {
    return new TextDecoder(charset);
  } catch {
    // An unknown name is no reason to refuse a text that can be read without it.
    return undefined;
  }
}

/**
 * Text holds hardly any control characters and zero bytes only by mistake; of random bytes 11 % are control characters.
 * Terminal output with its escapes is text.
 */
function looksBinary(text: string): boolean {
  const sample = text.length > 2 * sampleBytes ? text.slice(0, sampleBytes) + text.slice(-sampleBytes) : text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is counted
  const controls = sample.match(/[\u0000-\u0007\u000e-\u001a\u001c-\u001f\u0080-\u0084\u0086-\u009f]/g) ?? [];
  const zeros = controls.filter((control) => control === "\0").length;
  return controls.length > sample.length * 0.02 || zeros > 1 + sample.length * 0.001;
}
