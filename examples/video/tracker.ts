import { ahead, folded, frames, type Point, side, small, type VideoClip } from './clips.js';

/**
 * Where a digit will be if it goes on as between the last two frames in which it is seen: the centre of the bright pixels of each frame, and
 * constant velocity, thrown back by the walls. Where fewer than two frames show it, the last place, or the middle.
 */
export function constantVelocity({ pixels }: VideoClip): Point {
  const seen: [time: number, place: Point][] = [];
  for (let t = 0; t < frames; t++) {
    const place = brightCentre(pixels.subarray(t * side * side, (t + 1) * side * side));
    if (place) seen.push([t, place]);
  }
  const [[before, from] = [], [last, to] = []] = seen.slice(-2);
  if (from === undefined || before === undefined) return [side / 2, side / 2];
  if (to === undefined || last === undefined) return from;
  const steps = (frames + ahead - 1 - last) / (last - before);
  const along = (axis: 0 | 1) => folded(to[axis] + steps * (to[axis] - from[axis]) - small / 2) + small / 2;
  return [along(0), along(1)];
}

// Noise is never brighter than 0.3; so many brighter pixels are a digit.
const bright = 0.45;
const leastPixels = 8;

function brightCentre(frame: Float32Array): Point | undefined {
  let [sumX, sumY, count] = [0, 0, 0];
  for (const [i, value] of frame.entries()) {
    if (value < bright) continue;
    sumX += (i % side) + 0.5;
    sumY += Math.floor(i / side) + 0.5;
    count += 1;
  }
  return count >= leastPixels ? [sumX / count, sumY / count] : undefined;
}
