/** A line as high as a row of text: where the price went lately. */

interface Props {
  values: number[];
  width?: number;
  height?: number;
}

export function Spark({ values, width = 96, height = 26 }: Props) {
  const first = values[0];
  const last = values.at(-1);
  if (values.length < 2 || first === undefined || last === undefined) {
    return <svg className="spark" width={width} height={height} aria-hidden="true" />;
  }
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  const x = (i: number) => 1 + (i / (values.length - 1)) * (width - 5);
  const y = (value: number) => 2 + (1 - (value - low) / span) * (height - 4);
  const line = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return (
    <svg className={`spark ${last >= first ? "text-up" : "text-down"}`} width={width} height={height} aria-hidden="true">
      <line className="spark-from" x1="0" x2={width} y1={y(first)} y2={y(first)} />
      <polyline points={line} />
      <circle cx={x(values.length - 1)} cy={y(last)} r="1.8" />
    </svg>
  );
}
