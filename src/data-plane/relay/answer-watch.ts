import type { Usage } from '../../fleet/settlement.ts';

/**
 * Stands between the node's stream and the client: takes the node's chunks, gives back what to forward, and notes what
 * the stream says about itself. Bytes are held back only until the frame they belong to is complete.
 */
export interface AnswerWatch {
  /** The bytes to forward for this chunk, or null where it completed nothing. The chunk itself where nothing changed. */
  push(chunk: Buffer): Buffer | null;
  /**
   * The node ended its body cleanly: what is left to forward, or null. An unterminated last frame is forwarded, with its
   * missing line ends, only where it is whole. Not to be called where the body broke off.
   */
  finish(): Buffer | null;
  /** The stream said that it is over: an end marker, or in OpenAI's form every running choice has a finish reason. */
  readonly ended: boolean;
  /** The end marker itself has passed: whatever breaks after it, the client has its whole answer. */
  readonly isMarked: boolean;
  /**
   * The node's message where it reported an error in the stream; that frame and all after it are not forwarded. Not yet
   * scrubbed of addresses. May be empty.
   */
  readonly failed: string | null;
  /** A frame grew beyond the limit: treat the stream as garbage. Nothing more is forwarded. */
  readonly tooLong: boolean;
  /** Frames with data so far, forwarded or not. Comments, pings and blank lines are no progress and do not count. */
  readonly frames: number;
  /** Some generated text, reasoning or tool call has passed. */
  readonly sawContent: boolean;
  /** What was used so far: told by the engine, else counted from deltas and marked `estimated`, else null. */
  usage(): Usage | null;
}

/** What is told of an object that cannot be read: it may be an error in a form that nobody knows, so nothing of it is. */
export const UNREADABLE = 'The node sent something that is no JSON.';

/** A frame larger than this is no frame: no engine sends one, and it would be memory held for one client. */
export const MAX_FRAME_BYTES = 4 * 1024 * 1024;
