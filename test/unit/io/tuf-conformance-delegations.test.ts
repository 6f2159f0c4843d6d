/**
 * The cases of the public TUF conformance suite that are about delegated targets roles; tieup signs none, its engine knows
 * them. See tuf-conformance.test.ts.
 *
 *   test_updater_delegation_graphs.py   all twelve graphs, all five searches
 *   test_quoting_issues.py              all four names
 *   test_delegated_expiration.py        all three
 *   test_cached_role_is_verified_against_current_delegator   not here: marked as expected to fail for the reference
 *                                       client, python-tuf, whose cache of roles tuf-js has taken over
 */
import { describe, expect, test } from 'vitest';
import { conformance, days } from '../../support/conformance.ts';
import { seconds, type TufSimulator } from '../../support/tuf-simulator.ts';

interface Edge {
  readonly from: string;
  readonly to: string;
  readonly paths?: readonly string[];
  readonly terminating?: true;
}

/** `targets>A A>C! B>D:*.py`: who delegates to whom, `!` for terminating, paths after a colon. */
function edges(graph: string): readonly Edge[] {
  return graph.split(' ').map((text) => {
    const [, from = '', to = '', terminating, paths] = /^(\w+)>(\w+)(!)?(?::(.+))?$/.exec(text) ?? [];
    return {
      from,
      to,
      ...(terminating === undefined ? {} : { terminating: true as const }),
      ...(paths === undefined ? {} : { paths: paths.split(',') }),
    };
  });
}

function delegateAll(repo: TufSimulator, graph: string, expires: Date): void {
  const roles = new Set<string>();
  for (const { from, to, paths = ['*'], terminating = false } of edges(graph)) {
    repo.delegate(from, { name: to, terminating, paths }, expires);
    for (const role of [from, to]) roles.add(role);
  }
  repo.publish(...[...roles].filter((role) => role !== 'targets'), 'targets', 'snapshot', 'timestamp');
}

/** Which delegated roles were asked for, after the four top-level ones. */
function visited(repo: TufSimulator): readonly string[] {
  return repo.asked.slice(4).map((name) => name.replace(/^\d+\./, ''));
}

describe('delegation graphs', () => {
  test.each([
    ['basic-delegation', 'targets>A', 'A'],
    ['single-level-delegations', 'targets>A targets>B', 'A B'],
    ['two-level-delegations', 'targets>A targets>B B>C', 'A B C'],
    ['two-level-test-DFS-order-of-traversal', 'targets>A targets>B A>C A>D', 'A C D B'],
    ['three-level-delegation-test-DFS-order-of-traversal', 'targets>A targets>B A>C C>D', 'A C D B'],
    ['two-level-terminating-ignores-all-but-roles-descendants', 'targets>A targets>B A>C! A>D', 'A C'],
    ['three-level-terminating-ignores-all-but-roles-descendants', 'targets>A targets>B A>C! C>D', 'A C D'],
    ['two-level-ignores-all-branches-not-matching-paths', 'targets>A:*.py targets>B A>C', 'B'],
    ['three-level-ignores-all-branches-not-matching-paths', 'targets>A targets>B A>C:*.py C>D', 'A B'],
    ['cyclic-graph', 'targets>A targets>B B>C C>D D>B', 'A B C D'],
    ['two-roles-delegating-to-a-third', 'targets>A targets>B B>C A>C', 'A C B'],
    ['two-roles-delegating-to-a-third-different-paths', 'targets>A targets>B B>C A>C:*.py', 'A B C'],
  ])('graph traversal: %s', async (_, graph, order) => {
    const { repo, client, now } = await conformance();
    // A role that two others delegate to is signed with the keys of both.
    delegateAll(repo, graph, days(30, now));
    expect(await client.download('missingpath')).toBe('refused');
    expect(visited(repo).join(' ')).toBe(order);
  });

  test.each([
    ['no delegations', 'targetfile', '', 'done'],
    ['targetpath matches wildcard', 'README.md', 'A', 'done'],
    ['targetpath with separators x', 'releases/x/x_v1', 'B C', 'done'],
    ['targetpath with separators y', 'releases/y/y_v1.zip', 'B D', 'done'],
    ['targetpath is not delegated by all roles in the chain', 'releases/z/z_v1.zip', 'B', 'refused'],
  ] as const)('targetfile search: %s', async (_, path, order, outcome) => {
    const { repo, client, now } = await conformance();
    const graph = 'targets>A:*.doc,*.md targets>B:releases/*/* B>C:releases/x/* B>D:releases/y/*.zip';
    delegateAll(repo, graph, days(30, now));
    repo.addTarget('targets', 'targetfile', 'targetfile content');
    repo.addTarget('A', 'README.md', 'README by A');
    repo.addTarget('C', 'releases/x/x_v1', 'x release by C');
    repo.addTarget('D', 'releases/y/y_v1.zip', 'y release by D');
    repo.addTarget('D', 'releases/z/z_v1.zip', 'z release by D');
    repo.publish('A', 'C', 'D', 'targets', 'snapshot', 'timestamp');
    expect(await client.download(path)).toBe(outcome);
    expect(visited(repo).join(' ')).toBe(order);
    const content = Buffer.from(repo.artifacts.get(path) ?? []).toString();
    expect(await client.downloaded()).toEqual(outcome === 'done' ? [content] : []);
  });
});

describe('quoting issues', () => {
  test.each(['?', '#', '/delegatedrole', '../delegatedrole'])('unusual role name: %s', async (role) => {
    const { repo, client, now } = await conformance();
    repo.delegate('targets', { name: role, terminating: false, paths: ['*'] }, days(30, now));
    repo.publish(role, 'targets', 'snapshot', 'timestamp');
    expect(await client.download('nonexistent target')).toBe('refused');
    expect(visited(repo)).toEqual([encodeURIComponent(role)]);
    expect(Object.keys(await client.trusted())).toHaveLength(5);
  });
});

describe('delegated expiration', () => {
  test('delegated targets expired', async () => {
    const { repo, client, now } = await conformance();
    repo.delegate('targets', { name: 'delegated', terminating: false, paths: ['delegatedpath/*'] }, days(-1, now));
    repo.addTarget('delegated', 'delegatedpath/target', 'delegated content');
    repo.publish('delegated', 'targets', 'snapshot', 'timestamp');
    expect(await client.refresh()).toBe('done');
    expect(await client.download('delegatedpath/target')).toBe('refused');
    expect(await client.downloaded()).toEqual([]);
    expect(await client.trusted()).toEqual({ root: 1, snapshot: 2, targets: 2, timestamp: 2 });
  });

  test.each(['expired local delegated targets', 'expired local delegated targets updates'])('%s', async (which) => {
    const { repo, client, clock, now } = await conformance();
    repo.delegate('targets', { name: 'delegated', terminating: false, paths: ['delegatedpath/*'] }, days(7, now));
    repo.addTarget('delegated', 'delegatedpath/first', 'first');
    repo.addTarget('delegated', 'delegatedpath/second', 'second');
    repo.publish('delegated', 'targets', 'snapshot', 'timestamp');
    expect(await client.download('delegatedpath/first')).toBe('done');
    const renewed = which.endsWith('updates');
    if (renewed) {
      repo.role('delegated').expires = seconds(days(21, now));
      repo.publish('delegated', 'snapshot', 'timestamp');
    }
    clock.set(days(18, now));
    expect(await client.download('delegatedpath/second')).toBe(renewed ? 'done' : 'refused');
    expect((await client.downloaded()).toSorted()).toEqual(renewed ? ['first', 'second'] : ['first']);
  });
});
