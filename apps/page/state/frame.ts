/**
 * Runs work before the next paint, once, however often it is asked for: messages that come faster than frames are
 * shown together. A hidden tab has no frames, there it runs at once.
 */
export function perFrame(work: () => void): () => void {
  let waiting = false;
  return () => {
    if (waiting) return;
    if (document.hidden) {
      work();
      return;
    }
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      work();
    });
  };
}
