/** Keys and tokens that are known by how they begin, key blocks, and JSON web tokens. */
const keys = [
  /\b(?:sk|pk|rk)[-_](?:live|test|proj|ant)?[-_]?[A-Za-z0-9_-]{16,}/,
  /\b(?:gh[pousr]_|github_pat_|glpat-|xox[abprs]-|hf_|npm_|dckr_pat_)[A-Za-z0-9_-]{16,}/,
  /\b(?:AKIA|ASIA)[A-Z0-9]{16}\b/,
  /\bAIza[A-Za-z0-9_-]{30,}/,
  /\beyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}/,
  /-----BEGIN [A-Z ]*PRIVATE KEY/,
];
/** "My password is …": the word that says so, and something that is said. */
const named =
  /\b(?:pass(?:word|code|phrase)|pin(?: code| number)?|secret key|api[ -]?key|access token|cvv|cvc|recovery code|seed phrase)\b(?:\s+\S+){0,6}?\s*(?:\bis\b|\bare\b|[:=])\s*\S/i;
const socialSecurity = /\b\d{3}-\d{2}-\d{4}\b/;
const digitRun = /\b\d(?:[ -]?\d){11,18}\b/g;
const iban = /\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{2,4}){3,8}\b/g;
const longToken = /[A-Za-z0-9+/_=-]{24,}/g;
/** Bits a character. Random letters and digits have 4 to 5 in 24 and more of them, long words and paths below 3.7. */
const randomEntropy = 3.9;

/** True where a text seems to hold a key, a password, or the number of a card or an account. */
export function holdsSecret(text: string): boolean {
  return (
    keys.some((pattern) => pattern.test(text)) ||
    named.test(text) ||
    socialSecurity.test(text) ||
    (text.match(digitRun) ?? []).some(isCardNumber) ||
    (text.match(iban) ?? []).some(isIban) ||
    (text.match(longToken) ?? []).some(isRandom)
  );
}

/** Luhn's check digit, which one number in ten has by chance. */
function isCardNumber(run: string): boolean {
  const digits = run.replace(/\D/g, "");
  if (digits.length < 13) return false;
  let sum = 0;
  for (let at = 0; at < digits.length; at += 1) {
    const digit = Number(digits[digits.length - 1 - at]);
    const doubled = at % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** ISO 13616: the number with its head at its end is 1 modulo 97. */
function isIban(written: string): boolean {
  const number = written.replaceAll(" ", "");
  if (number.length < 15) return false;
  const digits = (number.slice(4) + number.slice(0, 4)).replace(/[A-Z]/g, (letter) =>
    String(letter.charCodeAt(0) - 55),
  );
  return BigInt(digits) % 97n === 1n;
}

function isRandom(token: string): boolean {
  if (!/\d/.test(token) || !/[A-Za-z]/.test(token)) return false;
  const counts = new Map<string, number>();
  for (const character of token) counts.set(character, (counts.get(character) ?? 0) + 1);
  let entropy = 0;
  for (const count of counts.values()) {
    const share = count / token.length;
    entropy -= share * Math.log2(share);
  }
  return entropy >= randomEntropy;
}
