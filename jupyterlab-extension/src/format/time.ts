import { formatSeconds } from '@pilothouse/sdk/internal';

/** Time that is left, counted down the way a clock does: `1:42:10`, `9:05`. */
export function countdown(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const two = (value: number): string => String(value).padStart(2, '0');
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor((whole % 3600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

/** Seconds from `now` until a time; 0 when it has passed. */
export function secondsUntil(time: string, now: number): number {
  return Math.max(0, (Date.parse(time) - now) / 1000);
}

/** Seconds from a time until `now`; 0 when it lies ahead. */
export function secondsSince(time: string, now: number): number {
  return Math.max(0, (now - Date.parse(time)) / 1000);
}

/** How long something has gone on: `12 min`. */
export function lasting(time: string, now: number): string {
  return formatSeconds(secondsSince(time, now));
}

/** The exact time in the reader's own zone, for hovering. */
export function exactTime(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** The time of day, for "until 14:02"; on request to the second. */
export function clockTime(time: string, seconds = false): string {
  return new Date(time).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    ...(seconds ? { second: '2-digit' } : {}),
  });
}
