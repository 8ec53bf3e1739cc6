// JSON.parse makes an object of some sixty bytes of every two bytes `{}`: texts from files are looked through before it is called.

// A bracket becomes an object or array, a colon a key, a comma a value: some 64, 48 and 16 bytes.
const BRACKET = 4;
const COLON = 4;
const MOST = 1_200_000;

/** Why a text of JSON is too much to be parsed; undefined when it is not. @param depth brackets in brackets at most */
export function jsonProblem(text: string, depth = 200): string | undefined {
  let weight = 0;
  let open = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === 0x22) i = closingQuote(text, i);
    else if (character === 0x7d || character === 0x5d) open--;
    else if (character === 0x2c) weight++;
    else if (character === 0x3a) weight += COLON;
    else if (character === 0x7b || character === 0x5b) {
      weight += BRACKET;
      if (++open > depth) return `nests more than ${depth} brackets`;
    }
    if (weight > MOST) return 'holds too many values';
  }
  return undefined;
}

/** The position of the quote that closes the string opened at `start`. */
export function closingQuote(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text.charCodeAt(i) !== 0x22) i += text.charCodeAt(i) === 0x5c ? 2 : 1;
  return i;
}
