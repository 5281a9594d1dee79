/** What one task or instance needs. */
export interface Demand {
  /** Of one slot, as are `gpus` and `memory`. */
  readonly cores: number;
  /** Whole GPUs or a part of one, in hundredths: 0.5, 2, 1.25. The parts of one slot's GPU lie on the same device. */
  readonly gpus: number;
  /** bytes; null: no limit of its own, which counts as none */
  readonly memory: number | null;
  /** Identical slots, all granted at once: 1 for a plain task, the ranks of an MPI task. Default: `nodes`, else 1. */
  readonly slots?: number | undefined;
  /** Exactly so many nodes, over which the slots are spread evenly. Default: as few as they fit on. */
  readonly nodes?: number | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Only on nodes where something with one of these tags runs, as long as anything with them runs. */
  readonly near?: readonly string[] | undefined;
  /** On no node where something with one of these tags runs. */
  readonly apart?: readonly string[] | undefined;
}

/** What a node of a pilot holds. */
export interface Capacity {
  /** Host name, for words. */
  readonly name?: string | undefined;
  readonly cores: number;
  /** Names of its GPUs. */
  readonly gpus: readonly string[];
  /** bytes; null: not limited */
  readonly memory: number | null;
}

/** Services go before tasks: tasks may wait for them. */
export type Kind = 'service' | 'task';

/** What is known of something that wants resources, or has them. */
export interface Claim {
  readonly id: string;
  readonly demand: Demand;
  readonly kind: Kind;
  /** Higher goes first, within its kind; default 0. */
  readonly priority?: number | undefined;
  /** How long it is expected to take, in seconds: it is not started where the pilot has less time left. */
  readonly expects?: number | undefined;
  /** When it is ended at the latest, in seconds after its start. */
  readonly limit?: number | undefined;
}

/** Something that waits for resources. */
export interface Applicant extends Claim {
  /** Called once, when the resources are its own. */
  granted(grant: Grant): void;
  /** Called when it has to wait, and again near its turn when it waits for something else. */
  waits(reason: WaitReason): void;
}

/** Why something is not started yet. */
export interface WaitReason {
  readonly code:
    | 'WAITS_FOR_CORES'
    | 'WAITS_FOR_GPUS'
    | 'WAITS_FOR_MEMORY'
    | 'WAITS_FOR_NODES'
    | 'WAITS_FOR_ROOM'
    | 'WAITS_FOR_TAGS'
    | 'WAITS_FOR_TURN'
    | 'WAITS_FOR_PILOT_TIME'
    | 'SUSPENDED';
  readonly text: string;
}

/** Part of a GPU: index on its node, and how much of it (1: all). */
export interface GpuShare {
  readonly index: number;
  readonly part: number;
}

/** What is granted on one node. */
export interface NodeShare {
  /** Index of the node within the pilot. */
  readonly node: number;
  readonly slots: number;
  /** Numbers of its cores within the node, lowest first. */
  readonly cores: readonly number[];
  /** One entry per device. */
  readonly gpus: readonly GpuShare[];
  /** bytes */
  readonly memory: number;
}

/** What was granted. Giving it back twice changes nothing. */
export interface Grant {
  readonly id: string;
  readonly demand: Demand;
  /** The first is where a plain task runs and where an MPI task is launched. */
  readonly nodes: readonly NodeShare[];
  /** Names of its GPUs on the first node, as CUDA_VISIBLE_DEVICES takes them. */
  readonly gpus: readonly string[];
}

/** Where something runs already. What is left out is chosen. */
export interface Place {
  readonly node?: number | undefined;
  readonly slots?: number | undefined;
  readonly cores?: readonly number[] | undefined;
  /** Names of its GPUs. */
  readonly gpus?: readonly string[] | undefined;
}

/** Why something waits, from live data. */
export interface Explanation {
  readonly text: string;
  readonly evidence: readonly string[];
}
