/**
 * Which instance of a service answers a request. Used by the router of a user, by that of a pilot, and by clients that
 * call instances themselves.
 */
export { Balancer } from './balancer.js';
export type { Measured } from './meter.js';
export { median, quantile } from './quantile.js';
export {
  type Asking,
  type BalancerClock,
  type BalancerOptions,
  type BalancerSettings,
  balancerSettings,
  type Candidate,
  type Grant,
  type WaitReason,
  type Wish,
} from './types.js';
