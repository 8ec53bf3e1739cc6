import { type Bounds, checkInteger, checkNumber, quote } from '../arguments.js';

/** The command line itself is wrong: exit code 2. */
export class UsageError extends Error {}

/** The options of one call, read by their names on the command line (`hidden-size`). @throws UsageError from every method */
export class Options {
  readonly #given: Readonly<Record<string, unknown>>;
  readonly #words: readonly string[];

  /**
   * @param given what the parser found, under camel-case names
   * @param words the command line as it was typed
   */
  constructor(given: Readonly<Record<string, unknown>>, words: readonly string[]) {
    this.#given = given;
    this.#words = words;
  }

  /** Whether it was given at all. */
  has(name: string): boolean {
    return this.#value(name) !== undefined;
  }

  flag(name: string): boolean {
    return this.#value(name) === true;
  }

  /** Whether `--no-<name>` was given. */
  isOff(name: string): boolean {
    return this.#value(name) === false;
  }

  text(name: string): string | undefined {
    if (this.#value(name) === undefined) return undefined;
    const text = this.#typed(name);
    if (text === '') throw new UsageError(`--${name}: the value is empty`);
    return text;
  }

  requiredText(name: string): string {
    const text = this.text(name);
    if (text === undefined) throw new UsageError(`--${name} is missing`);
    return text;
  }

  /** Names with commas between them. */
  list(name: string): string[] | undefined {
    const items = this.text(name)
      ?.split(',')
      .map((item) => item.trim());
    if (items?.includes('')) throw new UsageError(`--${name}: a name between two commas is missing`);
    return items;
  }

  integer(name: string, bounds: Bounds): number | undefined {
    return this.#number(name, (value) => checkInteger(value, `--${name}`, bounds));
  }

  number(name: string, bounds: Bounds): number | undefined {
    return this.#number(name, (value) => checkNumber(value, `--${name}`, bounds));
  }

  #number(name: string, check: (value: number) => number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (Number.isNaN(value)) throw new UsageError(`--${name}: expected a number, got ${quote(text)}`);
    try {
      return check(value);
    } catch (error) {
      throw new UsageError((error as Error).message);
    }
  }

  #value(name: string): unknown {
    const value = this.#given[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())];
    if (Array.isArray(value)) throw new UsageError(`--${name} is given more than once`);
    return value;
  }

  // The parser makes a number of every text that looks like one ("007", ""): take what was typed.
  #typed(name: string): string {
    const index = this.#words.findIndex((word) => word === `--${name}` || word.startsWith(`--${name}=`));
    const word = this.#words[index] as string;
    return word.includes('=') ? word.slice(word.indexOf('=') + 1) : (this.#words[index + 1] as string);
  }
}
