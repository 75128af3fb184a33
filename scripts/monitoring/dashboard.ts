import type {
  Dashboard as DashboardJson,
  Panel as PanelJson,
} from "@grafana/grafana-foundation-sdk/dashboard";
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
} from "@grafana/grafana-foundation-sdk/dashboard";
import type { Panel } from "./panel.ts";
import { createPanel, datasource } from "./panel.ts";

/** A dashboard as its file in `dashboards/` describes it. */
export interface Dashboard {
  /** Of the file and of the address in Grafana, behind "headwater-". */
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly { readonly title: string; readonly panels: readonly Panel[] }[];
}

/** Of the classic dashboard model that the library writes; newer Grafanas migrate it when they load it. */
export const leastSchemaVersion = 39;

/** As Grafana imports it. */
export function createDashboard({ name, title, description, rows }: Dashboard): DashboardJson {
  const builder = new DashboardBuilder(`Headwater: ${title}`)
    .uid(`headwater-${name}`)
    .description(description)
    .tags(["headwater"])
    .timezone("browser")
    .editable()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: "now-6h", to: "now" })
    .refresh("30s")
    .link(
      new DashboardLinkBuilder("Headwater")
        .type(DashboardLinkType.Dashboards)
        .tags(["headwater"])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true),
    )
    .withVariable(
      new DatasourceVariableBuilder(datasource.name)
        .label("Prometheus")
        .description("Where the metrics are")
        .type("prometheus"),
    )
    .withVariable(
      new QueryVariableBuilder("namespace")
        .label("Namespace")
        .description("Of the release; without Kubernetes there is none, and All shows everything")
        .datasource(datasource.reference)
        .query("label_values(rag_queries_total, namespace)")
        .refresh(VariableRefresh.OnTimeRangeChanged)
        .multi(true)
        .includeAll(true)
        .allValue(".*")
        .current({ text: "All", value: "$__all" }),
    );
  // Numbered here, so that an address that shows one panel stays the same.
  let id = 0;
  for (const row of rows) {
    id += 1;
    builder.withRow(new RowBuilder(row.title).id(id));
    for (const panel of row.panels) {
      id += 1;
      builder.withPanel(createPanel(panel).id(id));
    }
  }
  return builder.build();
}

/** The panels of a dashboard that show something: rows are titles. */
export function panelsOf({ panels = [] }: DashboardJson): PanelJson[] {
  return panels.flatMap((panel) => ("targets" in panel ? [panel as PanelJson] : []));
}
