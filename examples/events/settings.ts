// Three businesses as mechanisms. Nothing is taken from real data: the point is that the best possible prediction is known.
import type { Mechanism } from './arrival_process.js';

export interface Setting {
  readonly question: string;
  readonly mechanism: Mechanism;
  /** The kind of event that is foretold; without one silence is. */
  readonly mark?: string;
  readonly entities: number;
  readonly days: number;
  readonly horizon: number;
}

/** Frequent and rare customers buy and visit; annoyed ones complain first and may leave for good, which only their silence tells. */
export const churn: Setting = {
  question: 'churn: no visit within 30 days',
  entities: 1500,
  days: 365,
  horizon: 30,
  mechanism: {
    states: ['frequent', 'frequent annoyed', 'rare', 'rare annoyed', 'gone'],
    start: [0.5, 0, 0.5, 0, 0],
    changes: [
      ['frequent', 'frequent annoyed', 1 / 90],
      ['rare', 'rare annoyed', 1 / 120],
      ['frequent annoyed', 'gone', 1 / 25],
      ['rare annoyed', 'gone', 1 / 40],
    ],
    events: [
      ['frequent', 'visit', 0.3],
      ['frequent', 'purchase', 0.15],
      ['frequent', 'complaint', 0.01],
      ['rare', 'visit', 0.07],
      ['rare', 'purchase', 0.05],
      ['rare', 'complaint', 0.005],
      ['frequent annoyed', 'visit', 0.25],
      ['frequent annoyed', 'purchase', 0.03],
      ['frequent annoyed', 'complaint', 0.08],
      // An answer that helps.
      ['frequent annoyed', 'answer', 0.05, 'frequent'],
      ['rare annoyed', 'visit', 0.06],
      ['rare annoyed', 'purchase', 0.01],
      ['rare annoyed', 'complaint', 0.04],
      ['rare annoyed', 'answer', 0.03, 'rare'],
    ],
  },
};

/** A stolen card is tried with small sums, then emptied abroad; later the owner disputes it. Owners travel, too, without trying first. */
export const fraud: Setting = {
  question: 'fraud: a payment is disputed within 14 days',
  mark: 'dispute',
  entities: 1500,
  days: 240,
  horizon: 14,
  mechanism: {
    states: ['at home', 'travelling', 'tried', 'emptied'],
    start: [0.9, 0.1, 0, 0],
    changes: [
      ['at home', 'travelling', 1 / 60],
      ['travelling', 'at home', 1 / 12],
      ['at home', 'tried', 1 / 250],
      ['travelling', 'tried', 1 / 250],
      ['tried', 'emptied', 1 / 2],
    ],
    events: [
      ['at home', 'small', 0.3],
      ['at home', 'large', 0.06],
      ['at home', 'abroad', 0.01],
      ['at home', 'dispute', 0.001],
      ['travelling', 'small', 0.15],
      ['travelling', 'large', 0.06],
      ['travelling', 'abroad', 0.5],
      ['travelling', 'dispute', 0.002],
      ['tried', 'small', 1.5],
      ['tried', 'large', 0.06],
      ['emptied', 'abroad', 0.8],
      ['emptied', 'large', 0.5],
      // The card is replaced.
      ['emptied', 'dispute', 0.12, 'at home'],
    ],
  },
};

/** A machine wears in two stages that its messages hint at, sooner or later fails, and is as new after a repair. */
export const maintenance: Setting = {
  question: 'maintenance: a failure within 10 days',
  mark: 'failure',
  entities: 800,
  days: 240,
  horizon: 10,
  mechanism: {
    states: ['new', 'worn', 'loose', 'failing'],
    start: [1, 0, 0, 0],
    changes: [
      ['new', 'worn', 1 / 50],
      ['worn', 'loose', 1 / 25],
      ['worn', 'new', 1 / 120],
      ['loose', 'failing', 1 / 12],
    ],
    events: [
      ['new', 'hot', 0.12],
      ['new', 'shaking', 0.08],
      ['new', 'pressure', 0.1],
      ['new', 'failure', 0.001, 'new'],
      ['worn', 'hot', 0.4],
      ['worn', 'shaking', 0.1],
      ['worn', 'pressure', 0.1],
      ['worn', 'failure', 0.004, 'new'],
      ['loose', 'hot', 0.15],
      ['loose', 'shaking', 0.5],
      ['loose', 'pressure', 0.1],
      ['loose', 'failure', 0.01, 'new'],
      ['failing', 'hot', 0.1],
      ['failing', 'shaking', 0.15],
      ['failing', 'pressure', 0.5],
      ['failing', 'failure', 0.2, 'new'],
    ],
  },
};
