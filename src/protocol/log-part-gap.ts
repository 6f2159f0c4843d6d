/** The withheld records between two disclosed ones, as the fewest lines that can stand for them. */
import { type HashedSubtree, renderWithheld } from './log-part-line.ts';
import { type Digest, isAligned, nodeDigest, type Subtree } from './merkle.ts';

/** Records that follow each other and are withheld. It grows by one at a time and keeps about two hashes a level. */
export class WithheldRun {
  readonly #nodes: HashedSubtree[] = [];
  #next: number;

  /** `start` is the index of the first one. */
  constructor(start: number) {
    this.#next = start;
  }

  /** The hash of the next record. */
  add(leaf: Digest): void {
    let node: HashedSubtree = { start: this.#next, level: 0, digest: leaf };
    for (let left = this.#nodes.at(-1); left !== undefined && areSiblings(left, node); left = this.#nodes.at(-1)) {
      node = { start: left.start, level: left.level + 1, digest: nodeDigest(left.digest, node.digest) };
      this.#nodes.pop();
    }
    this.#nodes.push(node);
    this.#next += 1;
  }

  /** The lines, ascending; empty when nothing was added. */
  render(): string {
    return this.#nodes.map(renderWithheld).join('');
  }
}

/** True when the two, which follow each other, are the halves of one subtree. */
function areSiblings(left: Subtree, right: Subtree): boolean {
  return left.level === right.level && isAligned(left.start, left.level + 1);
}
