import {
  BigValueColorMode,
  BigValueGraphMode,
  LegendDisplayMode,
  LegendPlacement,
  ReduceDataOptionsBuilder,
  StackingConfigBuilder,
  StackingMode,
  TooltipDisplayMode,
  VizLegendOptionsBuilder,
  VizTooltipOptionsBuilder,
} from "@grafana/grafana-foundation-sdk/common";
import { ThresholdsConfigBuilder, ThresholdsMode } from "@grafana/grafana-foundation-sdk/dashboard";
import {
  PanelBuilder as HeatmapBuilder,
  HeatmapColorMode,
  HeatmapColorOptionsBuilder,
  YAxisConfigBuilder,
} from "@grafana/grafana-foundation-sdk/heatmap";
import { DataqueryBuilder, PromQueryFormat } from "@grafana/grafana-foundation-sdk/prometheus";
import { PanelBuilder as StatBuilder } from "@grafana/grafana-foundation-sdk/stat";
import { PanelBuilder as TimeSeriesBuilder } from "@grafana/grafana-foundation-sdk/timeseries";

/** The Prometheus that a dashboard asks is chosen by a variable, so that one file serves every Grafana. */
export const datasource = {
  name: "datasource",
  reference: { type: "prometheus", uid: `\${datasource}` },
};

/** Label matchers of every selector: the release that is looked at. */
export const scope = 'namespace=~"$namespace"';

/** Grafana's own, long enough for four scrapes. */
export const rateWindow = "$__rate_interval";

export interface Query {
  readonly expr: string;
  /** In Grafana's own notation: `{{label}}`. */
  readonly legend: string;
}

export interface Panel {
  readonly title: string;
  /** What it says and what to look for: shown where the mouse rests. */
  readonly description: string;
  /** One of Grafana's. */
  readonly unit: Unit;
  readonly queries: readonly Query[];
  /** lines: over time. number: the latest. heatmap: a histogram over time. */
  readonly shape?: "lines" | "number" | "heatmap";
  /** Series on top of each other, for parts of a whole. */
  readonly stacked?: boolean;
  /** Where good ends: drawn red from there on. */
  readonly limit?: number;
  /** Columns of 24; 8 where not given. */
  readonly width?: number;
}

/** Those in use, as Grafana names them. */
export const units = [
  "short",
  "none",
  "percentunit",
  "s",
  "bytes",
  "Bps",
  "reqps",
  "ops",
  "currencyUSD",
] as const;
export type Unit = (typeof units)[number];

export function createPanel(panel: Panel) {
  return dress(panel, bare(panel));
}

type Builder = TimeSeriesBuilder | StatBuilder | HeatmapBuilder;

function bare({ shape = "lines", stacked = false, unit }: Panel): Builder {
  switch (shape) {
    case "number":
      return new StatBuilder()
        .graphMode(BigValueGraphMode.Area)
        .colorMode(BigValueColorMode.Value)
        .reduceOptions(new ReduceDataOptionsBuilder().calcs(["lastNotNull"]));
    case "heatmap":
      return new HeatmapBuilder()
        .calculate(false)
        .color(
          new HeatmapColorOptionsBuilder()
            .mode(HeatmapColorMode.Scheme)
            .scheme("Oranges")
            .steps(64)
            .fill("dark-orange")
            .exponent(0.5),
        )
        .yAxis(new YAxisConfigBuilder().unit(unit));
    case "lines":
      return new TimeSeriesBuilder()
        .lineWidth(1)
        .fillOpacity(stacked ? 30 : 5)
        .stacking(new StackingConfigBuilder().mode(stacked ? StackingMode.Normal : StackingMode.None))
        .legend(
          new VizLegendOptionsBuilder()
            .displayMode(LegendDisplayMode.List)
            .placement(LegendPlacement.Bottom)
            .showLegend(true),
        )
        .tooltip(new VizTooltipOptionsBuilder().mode(TooltipDisplayMode.Multi))
        .min(0);
  }
}

function dress<B extends Builder>(panel: Panel, builder: B): B {
  const { title, description, unit, queries, shape, limit, width = 8 } = panel;
  builder
    .title(title)
    .description(description)
    .datasource(datasource.reference)
    .unit(unit)
    .span(width)
    .height(shape === "number" ? 4 : 8)
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps([
          { value: null, color: "green" },
          ...(limit === undefined ? [] : [{ value: limit, color: "red" }]),
        ]),
    );
  for (const [place, { expr, legend }] of queries.entries()) {
    const query = new DataqueryBuilder()
      .refId(String.fromCharCode(65 + place))
      .datasource(datasource.reference)
      .expr(expr)
      .legendFormat(legend);
    if (shape === "heatmap") query.format(PromQueryFormat.Heatmap);
    if (shape === "number") query.instant();
    else query.range();
    builder.withTarget(query);
  }
  return builder;
}
