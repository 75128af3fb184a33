import type { ComponentChildren } from "preact";
import { navigate, route } from "../state/navigation.ts";
import type { Route } from "../state/route.ts";
import { formatRoute } from "../state/route.ts";

export interface LinkProps {
  readonly to: Partial<Route>;
  readonly class?: string;
  readonly current?: boolean;
  readonly label?: string;
  readonly tabIndex?: number;
  readonly onFollow?: () => void;
  readonly children: ComponentChildren;
}

/** A link within the page: an ordinary click stays here, any other opens a tab as with every link. */
export function Link({ to, current, label, children, onFollow, ...rest }: LinkProps) {
  return (
    <a
      {...rest}
      href={formatRoute({ ...route.value, ...to })}
      aria-current={current ? "page" : undefined}
      aria-label={label}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        navigate(to);
        onFollow?.();
      }}
    >
      {children}
    </a>
  );
}
