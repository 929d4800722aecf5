import { describe, expect, it } from 'vitest';
import { canRefresh, Follower, refreshPage, registerRefresh } from './freshness';

describe('what is new', () => {
  it('is shown by the page that is open', async () => {
    expect(await refreshPage()).toBe(false);
    const leave = registerRefresh(async () => true);

    expect([canRefresh(), await refreshPage()]).toEqual([true, true]);
    leave();
    expect([canRefresh(), await refreshPage()]).toEqual([false, false]);
  });

  it('is asked about where showing it fails', async () => {
    const leave = registerRefresh(() => Promise.reject(new Error('no answer')));

    expect(await refreshPage()).toBe(false);
    leave();
  });

  it('is followed once at a time, as long as there is more', async () => {
    let shown = 0;
    const present = 3;
    let running = 0;
    const follower = new Follower(
      () => shown < present,
      async () => {
        expect(++running).toBe(1);
        await Promise.resolve();
        running--;
        shown++;
        return true;
      },
      () => Promise.resolve(),
    );
    await Promise.all([follower.follow(), follower.follow()]);

    expect(shown).toBe(3);
  });

  it('waits for the next news where it cannot be shown', async () => {
    let tries = 0;
    const follower = new Follower(
      () => true,
      async () => ++tries > 5,
      () => Promise.resolve(),
    );
    await follower.follow();
    expect(tries).toBe(1);
    await follower.follow();
    expect(tries).toBe(2);
  });
});
