/**
 * Tokens that a language model would count, without its tokenizer: a quarter for each ASCII character (English under
 * byte-pair encoding has about four characters a token), half for other alphabets, one for each character beyond, as
 * in Chinese and emoji. Good to about a fifth on prose; leave that much room in a budget.
 */
export function estimateTokens(text: string): number {
  let quarters = 0;
  for (let index = 0; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    quarters += unit < 0x80 ? 1 : unit < 0x800 ? 2 : 4;
  }
  return Math.ceil(quarters / 4);
}
