import { useSignal } from "@preact/signals";
import { announce } from "../state/announcer.ts";
import type { Theme } from "../state/theme.ts";
import { chooseTheme, readTheme, themes } from "../state/theme.ts";
import type { IconName } from "./icon.tsx";
import { Icon } from "./icon.tsx";

const icons: Readonly<Record<Theme, IconName>> = { system: "system", light: "sun", dark: "moon" };
const names: Readonly<Record<Theme, string>> = { system: "as the system", light: "light", dark: "dark" };

/** Goes round: as the system, light, dark. */
export function ThemeSwitch() {
  const theme = useSignal(readTheme());
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "system";
  return (
    <button
      type="button"
      class="button button-plain theme-switch"
      aria-label={`Colours: ${names[theme.value]}. Change to ${names[next]}`}
      title={`Colours: ${names[theme.value]}`}
      onClick={() => {
        chooseTheme(next);
        theme.value = next;
        announce(`Colours: ${names[next]}.`);
      }}
    >
      <Icon name={icons[theme.value]} />
    </button>
  );
}
