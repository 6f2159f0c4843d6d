/**
 * Every refusal and fault that tieup reports: one closed table of codes, each with the exit code of the process.
 *
 * A code never changes its meaning; scripts match on it. The exit codes are those of docs/protocol.md.
 */

/** What the process says to the shell; see "exit codes" in the README. */
export const EXIT = {
  done: 0,
  failed: 1,
  changesPending: 2,
  somePartnersFailed: 3,
  authentication: 4,
  verification: 5,
  conflict: 6,
  locked: 7,
  waitedTooLong: 8,
  declined: 9,
  expired: 10,
  contractOver: 11,
  usage: 64,
  configuration: 78,
  interrupted: 130,
  terminated: 143,
} as const;

const EXIT_OF_CODE = {
  /** A fault of tieup or of the machine that has no name of its own. */
  TIEUP_E_FAILED: EXIT.failed,
  /** A file or folder that is needed is not there. */
  TIEUP_E_NOT_FOUND: EXIT.failed,
  /** Something is in the way of an exclusive create. */
  TIEUP_E_EXISTS: EXIT.failed,
  /** No space left, read-only, permission denied, i/o error. */
  TIEUP_E_STORAGE: EXIT.failed,
  /** The connection broke, was refused or timed out. */
  TIEUP_E_CONNECTION: EXIT.failed,
  /** Some partners failed, others succeeded. */
  TIEUP_E_SOME_PARTNERS: EXIT.somePartnersFailed,
  /** The host key is not the pinned one. */
  TIEUP_E_HOST_KEY: EXIT.authentication,
  /** The server refused the login. */
  TIEUP_E_LOGIN: EXIT.authentication,
  /** A key file cannot be used: absent, wrong mode, wrong password, malformed. */
  TIEUP_E_KEY: EXIT.authentication,
  /** A password is needed and there is nobody to ask. */
  TIEUP_E_PASSWORD: EXIT.authentication,
  /** A signature, digest, length or signed statement is not what it must be. */
  TIEUP_E_VERIFY: EXIT.verification,
  /** A file in an exchange is longer than its bound. */
  TIEUP_E_TOO_LARGE: EXIT.verification,
  /** A path is a link, leaves its folder, or cannot be published safely. */
  TIEUP_E_UNSAFE_PATH: EXIT.verification,
  /** A release is older than one this side has already seen. */
  TIEUP_E_ROLLBACK: EXIT.verification,
  /** Published paths collide, or files which tieup does not own are in the way. */
  TIEUP_E_CONFLICT: EXIT.conflict,
  /** The world is not what it was when the plan was made, or live files differ from what was signed. */
  TIEUP_E_DRIFT: EXIT.conflict,
  /** A rollback holds the pages of an earlier release, so nothing else is pushed. */
  TIEUP_E_HELD: EXIT.conflict,
  /** Another tieup is at work here. */
  TIEUP_E_LOCKED: EXIT.locked,
  /** No answer within the time that was given. */
  TIEUP_E_TIMEOUT: EXIT.waitedTooLong,
  /** The partner rejected the release, or the manager said no. */
  TIEUP_E_DECLINED: EXIT.declined,
  /** Authentic, but its time is over. */
  TIEUP_E_EXPIRED: EXIT.expired,
  /** The contract is over or suspended, or has not begun. */
  TIEUP_E_CONTRACT: EXIT.contractOver,
  /** The command line is not understood, or needs a flag because there is nobody to ask. */
  TIEUP_E_USAGE: EXIT.usage,
  /** tieup.yaml, a partnership file or another setting is wrong. */
  TIEUP_E_CONFIG: EXIT.configuration,
  /** A page or a template is wrong. */
  TIEUP_E_CONTENT: EXIT.configuration,
  /** Ctrl-C. */
  TIEUP_E_INTERRUPTED: EXIT.interrupted,
  /** SIGTERM, as a scheduler or a service manager sends it. */
  TIEUP_E_TERMINATED: EXIT.terminated,
} as const;

export type ErrorCode = keyof typeof EXIT_OF_CODE;

/** One thing that is wrong at one place; checks return all they find. */
export interface Problem {
  /** Lower case, no full stop, quotes the value. */
  readonly message: string;
  /** The file as the user knows it, relative to the site folder. */
  readonly file?: string;
  /** 1-based. */
  readonly line?: number;
  /** 1-based, in UTF-16 code units as editors count. */
  readonly column?: number;
}

interface ErrorDetails {
  /** What mends it: a sentence or a command, in the voice of the message. */
  readonly hint?: string;
  readonly cause?: unknown;
  /** Everything that was found, when a check found more than one thing. */
  readonly problems?: readonly Problem[];
}

/** A refusal or fault with a code that scripts can match on and a message that a person can act on. */
export class TieupError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly problems: readonly Problem[];

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = 'TieupError';
    this.code = code;
    this.hint = details.hint;
    this.problems = details.problems ?? [];
  }

  get exitCode(): number {
    return EXIT_OF_CODE[this.code];
  }
}

/** True when `error` is a TieupError with one of `codes` (any TieupError when none is given). */
export function isTieupError(error: unknown, ...codes: readonly ErrorCode[]): error is TieupError {
  return error instanceof TieupError && (codes.length === 0 || codes.includes(error.code));
}

/** A fault that nobody foresaw is told with its own words, and with its stack only where somebody asked for it. */
export function asTieupError(error: unknown): TieupError {
  if (error instanceof TieupError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new TieupError('TIEUP_E_FAILED', `tieup failed unexpectedly: ${message}`, {
    hint: 'set TIEUP_DEBUG=1 to see where, and report it',
    cause: error,
  });
}

/** `file:line:column: message`, with the parts that are known. */
export function formatProblem(problem: Problem): string {
  const place = [problem.file, problem.line, problem.column].filter((part) => part !== undefined).join(':');
  return place === '' ? problem.message : `${place}: ${problem.message}`;
}
