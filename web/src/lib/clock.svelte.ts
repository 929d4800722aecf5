/** The present moment, for what shows how long something takes: one timer for all of them. */
class Clock {
  nowMs = $state(Date.now());
  private count = 0;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** Ticks until the returned function is called. */
  run(): () => void {
    if (this.count++ === 0) {
      this.nowMs = Date.now();
      this.timer = setInterval(() => (this.nowMs = Date.now()), 1_000);
    }
    return () => {
      if (--this.count === 0) clearInterval(this.timer);
    };
  }
}

export const clock = new Clock();
