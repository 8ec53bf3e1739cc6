import { chai, JestAsymmetricMatchers, JestChaiExpect } from '@vitest/expect';

/**
 * What the suites import from vitest, made of its two parts that are plain JavaScript: vitest itself runs only where its bundler has a
 * binary, the suites wherever the library does.
 */
chai.use(JestChaiExpect);
chai.use(JestAsymmetricMatchers);

export const expect = chai.expect;
export { describe, it } from '@vitest/runner';
