import { evaluateForecast } from './evaluate_forecast.js';
import { predictForecast } from './predict_forecast.js';
import type { Task } from './task.js';
import { trainForecast } from './train_forecast.js';

export const forecast: Task = {
  name: 'forecast',
  description: 'the next rows of a series, CSV',
  train: trainForecast,
  evaluate: evaluateForecast,
  predict: predictForecast,
};
