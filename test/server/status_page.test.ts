import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { saveModel } from 'cudnn-gru';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../formats/temporary_folder.js';
import { inferenceRequest, numbers, post, serve, smallModel } from './run_server.js';

const executablePath = '/usr/bin/chromium';
const inFolder = temporaryFolder();
let browser: Browser | undefined;

beforeAll(async () => {
  await saveModel(inFolder('small.safetensors'), smallModel(1));
  if (!existsSync(executablePath)) return;
  browser = await chromium.launch({
    executablePath,
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
});
afterAll(() => browser?.close());

const body = inferenceRequest(numbers(18), [3, 2, 3]);

describe('in Chromium', () => {
  it('shows throughput, latencies, batches, queue and memory, from this server alone', async (ctx) => {
    if (!browser) return ctx.skip(`${executablePath} is not installed`);
    const { url } = await serve([inFolder('small.safetensors')]);
    const page = await browser.newPage();
    const asked: string[] = [];
    const faults: string[] = [];
    page.on('request', (request) => asked.push(request.url()));
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    await page.goto(url);
    await page.getByText('cpu, in use').waitFor();
    for (let i = 0; i < 7; i++) expect((await post(`${url}/v2/models/small/infer`, body)).status).toBe(200);
    expect((await post(`${url}/v2/models/small/infer`, {})).status).toBe(400);
    await page.locator('#answers tr:has-text("400")').waitFor();
    expect(await page.locator('#answers tr').allTextContents()).toEqual(['2007', '4001']);
    expect(await page.locator('#models tr').allTextContents()).toEqual(['versionwaiting', 'small10', 'live streams0']);
    // One batch of one row when the model was loaded, then 7 of three.
    expect(await page.locator('#batches span').allTextContents()).toEqual(['≤ 1', '1', '≤ 2', '0', '≤ 4', '7']);
    const latencies = await page.locator('#latency span:nth-of-type(2n)').allTextContents();
    expect(latencies.reduce((sum, text) => sum + Number(text), 0)).toBe(8);
    expect(await page.locator('#throughput polyline').getAttribute('points')).toMatch(/^[\d.]+,[\d.]+/);
    expect(await page.locator('#rates').textContent()).toMatch(/requests\/s[\d.]+/);
    expect(await page.locator('#memory').textContent()).toMatch(/cpu, in use[\d.]+ MiB/);
    expect(new Set(asked.map((each) => new URL(each).origin))).toEqual(new Set([url]));
    expect(faults.filter((text) => !text.includes('favicon'))).toEqual([]);
    await page.close();
  });

  it('asks for the token where the server does', async (ctx) => {
    if (!browser) return ctx.skip(`${executablePath} is not installed`);
    await writeFile(inFolder('token.txt'), 'correct-horse');
    const { url } = await serve([inFolder('small.safetensors'), '--token-file', inFolder('token.txt')]);
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByText('this server asks for its token').waitFor();
    await page.getByLabel('Token of this server').fill('correct-horse');
    await page.getByRole('button', { name: 'Show' }).click();
    await page.getByText('cpu, in use').waitFor();
    expect(await page.locator('#login').isVisible()).toBe(false);
    await page.close();
  });

  it('shows the pages of the API', async (ctx) => {
    if (!browser) return ctx.skip(`${executablePath} is not installed`);
    const { url } = await serve([inFolder('small.safetensors')]);
    const page = await browser.newPage();
    await page.goto(`${url}/docs`);
    await page.getByText('/v2/models/{name}/infer').first().waitFor();
    await page.close();
  });
});
