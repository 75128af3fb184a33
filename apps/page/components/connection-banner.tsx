import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { connection, connectNow } from "../state/connection.ts";
import { Icon } from "./icon.tsx";

/** Shown while the server is out of reach. It lies over the page, so nothing moves when it comes and goes. */
export function ConnectionBanner() {
  const now = useSignal(Date.now());
  const { value } = connection;
  const lost = value.state === "lost";
  useEffect(() => {
    if (!lost) return;
    const timer = setInterval(() => {
      now.value = Date.now();
    }, 500);
    return () => clearInterval(timer);
  }, [lost, now]);
  if (value.state !== "lost") return null;
  const seconds = Math.max(0, Math.ceil((value.retryAt - now.value) / 1000));
  return (
    <aside class="banner" aria-label="Connection">
      <Icon name="alert" />
      <div>
        <p>
          <strong>{value.fault.message}</strong> {value.fault.action}
        </p>
        <p class="banner-retry">
          {seconds === 0 ? "Trying again now." : `Trying again in ${seconds} s.`} What you see is from before.
        </p>
      </div>
      <button type="button" class="button" onClick={connectNow}>
        Try now
      </button>
    </aside>
  );
}
