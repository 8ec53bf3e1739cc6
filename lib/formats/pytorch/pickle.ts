import { quote } from '../../arguments.js';
import { CudnnGruError } from '../../errors.js';

// Python's pickles are programs for a small stack machine, and some of its instructions call any function by name. This interpreter
// knows the instructions that dictionaries of tensors are made of, and calls nothing but what its caller lists
// (https://github.com/python/cpython/blob/main/Lib/pickletools.py says what each does).

/** An importable name of Python, `torch.FloatStorage`, and what it stands for here. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    /** Calls it; undefined where it is only named. */
    readonly call?: (args: readonly PickleValue[]) => PickleValue,
  ) {}
}

/** Something that a pickle holds and this file knows nothing of: a tensor, a storage. */
export abstract class PickleObject {
  abstract readonly kind: string;
}

/** Dictionaries are Maps, lists and tuples arrays; integers that a number does not hold are bigints. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | PickleGlobal
  | PickleObject;

export interface PickleEnvironment {
  /** What the pickle may name; everything else is refused. */
  readonly globals: ReadonlyMap<string, PickleGlobal>;
  /** What a persistent identifier stands for. */
  readonly persistent: (id: PickleValue) => PickleValue;
  readonly budget: PickleBudget;
}

/** Pickles longer than this are refused. */
export const MAX_PICKLE_BYTES = 4 << 20;

/**
 * What the pickles of one file may make, in all: an instruction of one byte can become an object of two hundred. A tensor of a state_dict takes
 * some 35 values and 6 objects.
 */
export class PickleBudget {
  #values = 400_000;
  #objects = 100_000;

  /** A value that is laid on the stack or kept. */
  value(): void {
    if (--this.#values < 0) throw malformed('it holds more than 400000 values');
  }

  /** A list, a tuple, a dictionary or what a call gives. */
  object(): void {
    if (--this.#objects < 0) throw malformed('it holds more than 100000 objects');
  }
}

const mark = Symbol('mark');
type Slot = PickleValue | typeof mark;

// Instructions that are refused, for the message. Those from REDUCE's family call Python classes.
const refused: Readonly<Record<number, string>> = {
  46: 'STOP',
  48: 'POP',
  49: 'POP_MARK',
  50: 'DUP',
  66: 'BINBYTES',
  67: 'SHORT_BINBYTES',
  70: 'FLOAT',
  73: 'INT',
  76: 'LONG',
  80: 'PERSID',
  83: 'STRING',
  86: 'UNICODE',
  100: 'DICT',
  103: 'GET',
  105: 'INST',
  108: 'LIST',
  111: 'OBJ',
  112: 'PUT',
  129: 'NEWOBJ',
  130: 'EXT1',
  131: 'EXT2',
  132: 'EXT4',
  139: 'LONG4',
  141: 'BINUNICODE8',
  142: 'BINBYTES8',
  143: 'EMPTY_SET',
  144: 'ADDITEMS',
  145: 'FROZENSET',
  146: 'NEWOBJ_EX',
  150: 'BYTEARRAY8',
  151: 'NEXT_BUFFER',
  152: 'READONLY_BUFFER',
};

function malformed(reason: string): CudnnGruError {
  return new CudnnGruError('ERR_FORMAT', `not a pickle that can be read: ${reason}`);
}

/**
 * Runs one pickle.
 *
 * @param bytes the pickle and whatever lies behind it
 * @returns the value, and the position behind the pickle
 * @throws CudnnGruError `ERR_FORMAT`; `ERR_UNSUPPORTED` naming the import or instruction that is not among those allowed
 */
export function unpickle(
  bytes: Uint8Array,
  start: number,
  environment: PickleEnvironment,
): { value: PickleValue; end: number } {
  return new Unpickler(bytes, start, environment).run();
}

class Unpickler {
  readonly #bytes: Uint8Array;
  readonly view: DataView;
  readonly environment: PickleEnvironment;
  readonly stack: Slot[] = [];
  readonly memo = new Map<number, PickleValue>();
  #position: number;

  constructor(bytes: Uint8Array, start: number, environment: PickleEnvironment) {
    this.#bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#position = start;
    this.environment = environment;
  }

  run(): { value: PickleValue; end: number } {
    for (;;) {
      const instruction = this.byte();
      if (instruction === 0x2e) {
        const value = this.pop();
        if (this.stack.length > 0) throw malformed('it ends with more than one value');
        return { value, end: this.#position };
      }
      const run = instructions[instruction];
      if (!run) this.#refuse(instruction);
      run(this);
    }
  }

  #refuse(instruction: number): never {
    const name = refused[instruction];
    if (name === undefined) throw malformed(`it holds the unknown instruction 0x${instruction.toString(16)}`);
    throw new CudnnGruError('ERR_UNSUPPORTED', `its pickle uses ${name}, which a state_dict of tensors does not need`);
  }

  global(module: string, name: string): void {
    const full = `${module}.${name}`;
    const known = this.environment.globals.get(full);
    if (!known) {
      throw new CudnnGruError(
        'ERR_UNSUPPORTED',
        `its pickle asks for ${quote(full)}, which is not among the few names that tensors need; nothing of it was run. ` +
          'Save a state_dict, torch.save(model.state_dict(), path), not the whole model',
      );
    }
    this.push(known);
  }

  call(): void {
    const [callee, args] = this.popMany(2);
    if (!(callee instanceof PickleGlobal) || !Array.isArray(args)) throw malformed('it calls what is no function');
    if (!callee.call) throw malformed(`it calls ${callee.name}`);
    this.push(this.container(callee.call(args)));
  }

  // Gives an object its attributes. Dictionaries have some of no meaning here (`_metadata`); nothing else has any.
  build(): void {
    this.pop();
    if (!(this.top() instanceof Map)) throw malformed('it sets attributes of what is no dictionary');
  }

  setItems(items: readonly PickleValue[]): void {
    const dictionary = this.top();
    if (!(dictionary instanceof Map) || items.length % 2 !== 0) throw malformed('it adds to what is no dictionary');
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i] as PickleValue;
      if (dictionary.has(key)) throw malformed(`it sets ${quote(String(key))} twice`);
      dictionary.set(key, items[i + 1] as PickleValue);
    }
  }

  append(values: readonly PickleValue[]): void {
    const list = this.top();
    if (!Array.isArray(list)) throw malformed('it appends to what is no list');
    for (const value of values) list.push(value);
  }

  container<T extends PickleValue>(value: T): T {
    this.environment.budget.object();
    return value;
  }

  remember(index: number): void {
    this.environment.budget.value();
    this.memo.set(index, this.top());
  }

  recall(index: number): void {
    const value = this.memo.get(index);
    if (value === undefined) throw malformed(`it recalls value ${index}, which it has not stored`);
    this.push(value);
  }

  push(value: Slot): void {
    this.environment.budget.value();
    this.stack.push(value);
  }

  top(): PickleValue {
    const slot = this.stack.at(-1);
    if (slot === undefined || slot === mark) throw malformed('its stack is empty');
    return slot;
  }

  pop(): PickleValue {
    const value = this.top();
    this.stack.pop();
    return value;
  }

  popMany(count: number): PickleValue[] {
    const values: PickleValue[] = [];
    for (let i = 0; i < count; i++) values.unshift(this.pop());
    return values;
  }

  popToMark(): PickleValue[] {
    const at = this.stack.lastIndexOf(mark);
    if (at < 0) throw malformed('it has no mark on its stack');
    const values = this.stack.splice(at);
    return values.slice(1) as PickleValue[];
  }

  byte(): number {
    return this.view.getUint8(this.take(1));
  }

  // The position of so many bytes, which the caller reads.
  take(length: number): number {
    const start = this.#position;
    if (start + length > this.#bytes.length) throw malformed('it ends in the middle; is the file truncated?');
    this.#position += length;
    return start;
  }

  text(length: number): string {
    const start = this.take(length);
    return utf8(this.#bytes.subarray(start, start + length));
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    const text = this.text((end < 0 ? this.#bytes.length : end) - this.#position);
    this.take(1);
    return text;
  }

  // Two's complement, little-endian.
  long(length: number): number | bigint {
    const start = this.take(length);
    if (length === 0) return 0;
    const digits = Buffer.from(this.#bytes.subarray(start, start + length))
      .reverse()
      .toString('hex');
    const signed = BigInt.asIntN(8 * length, BigInt(`0x${digits}`));
    const number = Number(signed);
    return Number.isSafeInteger(number) ? number : signed;
  }
}

// What each instruction does, under its number; STOP ends the loop in `run`.
const instructions: Readonly<Record<number, (machine: Unpickler) => void>> = {
  // PROTO
  128: (machine) => {
    if (machine.byte() > 5) throw malformed('its protocol is newer than 5');
  },
  // FRAME: the length of what follows, of use to a reader of streams only
  149: (machine) => {
    machine.take(8);
  },
  // MARK
  40: (machine) => machine.push(mark),
  // NONE, NEWTRUE, NEWFALSE
  78: (machine) => machine.push(null),
  136: (machine) => machine.push(true),
  137: (machine) => machine.push(false),
  // BININT1, BININT2, BININT, LONG1, BINFLOAT
  75: (machine) => machine.push(machine.byte()),
  77: (machine) => machine.push(machine.view.getUint16(machine.take(2), true)),
  74: (machine) => machine.push(machine.view.getInt32(machine.take(4), true)),
  138: (machine) => machine.push(machine.long(machine.byte())),
  71: (machine) => machine.push(machine.view.getFloat64(machine.take(8), false)),
  // BINUNICODE, SHORT_BINUNICODE, SHORT_BINSTRING
  88: (machine) => machine.push(machine.text(machine.view.getUint32(machine.take(4), true))),
  140: (machine) => machine.push(machine.text(machine.byte())),
  85: (machine) => machine.push(machine.text(machine.byte())),
  // EMPTY_DICT, EMPTY_LIST, EMPTY_TUPLE, TUPLE, TUPLE1, TUPLE2, TUPLE3
  125: (machine) => machine.push(machine.container(new Map())),
  93: (machine) => machine.push(machine.container([])),
  41: (machine) => machine.push(machine.container([])),
  116: (machine) => machine.push(machine.container(machine.popToMark())),
  133: (machine) => machine.push(machine.container(machine.popMany(1))),
  134: (machine) => machine.push(machine.container(machine.popMany(2))),
  135: (machine) => machine.push(machine.container(machine.popMany(3))),
  // APPEND, APPENDS, SETITEM, SETITEMS
  97: (machine) => machine.append(machine.popMany(1)),
  101: (machine) => machine.append(machine.popToMark()),
  115: (machine) => machine.setItems(machine.popMany(2)),
  117: (machine) => machine.setItems(machine.popToMark()),
  // BINPUT, LONG_BINPUT, MEMOIZE, BINGET, LONG_BINGET
  113: (machine) => machine.remember(machine.byte()),
  114: (machine) => machine.remember(machine.view.getUint32(machine.take(4), true)),
  148: (machine) => machine.remember(machine.memo.size),
  104: (machine) => machine.recall(machine.byte()),
  106: (machine) => machine.recall(machine.view.getUint32(machine.take(4), true)),
  // GLOBAL, STACK_GLOBAL, REDUCE, BUILD, BINPERSID
  99: (machine) => machine.global(machine.line(), machine.line()),
  147: (machine) => {
    const [module, name] = machine.popMany(2);
    machine.global(String(module), String(name));
  },
  82: (machine) => machine.call(),
  98: (machine) => machine.build(),
  81: (machine) => machine.push(machine.environment.persistent(machine.pop())),
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function utf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw malformed('it holds a text that is not UTF-8');
  }
}
