import { writeFileSync } from 'node:fs';
import { data } from 'cudnn-gru';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';

const inFolder = temporaryFolder();

function file(text: string): string {
  const path = inFolder('rows.jsonl');
  writeFileSync(path, text);
  return path;
}

it('reads fields as text; empty lines, order and other fields do not matter', async () => {
  const path = file('\ufeff{"text":"a\\nb","stars":5,"x":[1]}\n\n{"stars":true,"text":""}\r\n');
  const { columns, rows } = await data.readJsonLines(path, ['text', 'stars']);
  expect(rows).toBe(2);
  expect(Object.fromEntries(columns)).toEqual({ text: ['a\nb', ''], stars: ['5', 'true'] });
});

it('says which line is at fault', async () => {
  const read = (text: string) => data.readJsonLines(file(text), ['text']);
  await expect(read('{"text":"a"}\n{"text":')).rejects.toThrow(/line 2: this is no JSON/);
  await expect(read('[1]')).rejects.toThrow(/line 1: expected an object/);
  await expect(read('{"txt":"a"}')).rejects.toThrow(/line 1 has no field "text" \(did you mean "txt"\?\)/);
  await expect(read('{"text":null}')).rejects.toMatchObject({ code: 'ERR_DATA' });
  await expect(read('\n')).rejects.toThrow(/no rows/);
  await expect(data.readJsonLines(inFolder('none.jsonl'), ['text'])).rejects.toMatchObject({ code: 'ERR_FILE' });
});
