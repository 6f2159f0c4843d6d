/**
 * What a program that embeds tieup can use: errors, the documents that both sites sign and verify, a main site's pages as
 * bytes, and the merge as a pure decision. Whole loops are the command line's: run `tieup` with `--json`.
 *
 * Nothing here touches files, network, clock or process. Text of other parties comes in as bytes and leaves verified, or a
 * `TieupError` says why not.
 */
export { EXIT, formatProblem, isTieupError, TieupError, type ErrorCode, type Problem } from './errors.ts';

// Signed notes and the keys that sign them.
export { noteSigner, openNote, signNote, type NoteSigner, type OpenedNote } from './protocol/note.ts';
export {
  fingerprint,
  parseVkey,
  renderVkey,
  sixWords,
  spkiPem,
  verifierKey,
  type VerifierKey,
} from './protocol/vkey.ts';

// What a partner says: its decisions, its receipts, and what it allows without being asked.
export {
  DECISION_TYPE,
  decisionDigest,
  parseDecision,
  renderDecision,
  type Decision,
  type Verdict,
} from './protocol/decision.ts';
export { parseReceipt, RECEIPT_TYPE, renderReceipt, type PageCounts, type Receipt } from './protocol/receipt.ts';
export { parsePolicy, POLICY_TYPE, renderPolicy, type AcceptPolicy } from './protocol/policy.ts';

// What a release consists of.
export {
  parseRelease,
  renderRelease,
  type ConfirmationMessage,
  type Inheritance,
  type Release,
  type ReleaseFile,
  type ReleasePage,
  type SlotRange,
} from './protocol/release.ts';
export { parseTerms, renderTerms, type ContentPolicy, type Terms } from './protocol/terms.ts';
export { parseSums, renderSums, type SumLine } from './protocol/sums.ts';
export { checkPaths, pathFault } from './protocol/names.ts';

// What a partner's logs say, and the proof that they say what was signed.
export {
  openCheckpoint,
  type Checkpoint,
  type LogName,
  type LogOrigin,
  type OpenedCheckpoint,
  type TreeHead,
} from './protocol/checkpoint.ts';
export { openCosignature } from './protocol/cosignature.ts';
export { proveRecord, verifyPart, type TakeRecords, type VerifiedPart } from './protocol/log-part.ts';
export type { PartCounts, RecordBatch } from './protocol/log-part-body.ts';
export type { PartExpectations, PartHead } from './protocol/log-part-header.ts';
export { parseRecord, switchOf, type LiveSwitch, type LogRecord, type RecordClass } from './protocol/log-record.ts';
export { openProof, renderProof, type OpenedProof, type RecordProof } from './protocol/tlog-proof.ts';
export { verifyConsistency, verifyInclusion, type Consistency, type Inclusion } from './protocol/merkle-proof.ts';
export {
  EXPORT_TYPE,
  parseExport,
  type ExportedFile,
  type ExportedTree,
  type LogExport,
} from './protocol/log-export.ts';

// A main site's pages.
export { compileSite } from './content/site.ts';
export type {
  CompiledSite,
  PageSummary,
  SiteAsset,
  SiteDocument,
  SiteFile,
  SitePage,
  SiteRedirect,
} from './content/compiled-site.ts';
export type {
  AssetSource,
  PageMeta,
  PageSource,
  PartnerView,
  SiteIdentity,
  SiteSource,
  SlotMeta,
  TemplateSource,
} from './content/source.ts';
export { parseFrontMatter, type FrontMatter, type PageText } from './config/front-matter.ts';

// A partner's merge, decided and not carried out.
export { planMerge, type MergeEntry, type MergePlan, type Removal } from './merge/plan.ts';
export { NO_CHOICES, type Choices, type PathChoice, type SlotContent } from './merge/choices.ts';
export type { Conflict } from './merge/conflict.ts';
export type { LiveFile, MergeInput, OriginalFile, TieUpFile } from './merge/merge-input.ts';
export { EMPTY_LEDGER, parseLedger, renderLedger, type Ledger, type LedgerEntry } from './merge/ledger.ts';
