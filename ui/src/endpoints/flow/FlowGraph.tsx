import { useMemo, useState } from "react";
import type { Transitions } from "../../api/schema";
import { shortEndpoint } from "../../words/endpoint";
import { count, percent, plural } from "../../words/number";
import { choiceOf, stepKey, type Choice } from "./choice";
import style from "./Flow.module.css";
import { layout, type Arrow, type Box } from "./layout";

interface Props {
  flow: Transitions;
  width: number;
  chosen: string | null;
  onChoose: (key: string | null) => void;
}

/** Above it a share of errors is loud. */
const LOUD = 0.25;
const ARROWS_PER_NODE = 3;
const CHARACTER_PX = 7.3;
/** From this width on there is room for the word beside the number of requests. */
const FAILED_PX = 150;

export function FlowGraph({ flow, width, chosen, onChoose }: Props) {
  const [over, setOver] = useState<string | null>(null);
  const wide = Math.max(760, width);
  const picture = useMemo(
    () => layout(flow.nodes, flow.edges, wide, flow.nodes.length * ARROWS_PER_NODE),
    [flow, wide],
  );
  const choice = choiceOf(over ?? chosen);
  return (
    <svg
      width={picture.width}
      height={picture.height}
      role="img"
      aria-label={`How ${count(flow.visits)} visits go from endpoint to endpoint; the list beside it has the same in words`}
      className={choice ? `${style.graph} ${style.choosing}` : style.graph}
      onClick={() => onChoose(null)}
    >
      <defs>
        {["plain", "loud"].map((tone) => (
          <marker
            key={tone}
            id={`arrow-${tone}`}
            viewBox="0 0 6 6"
            refX="5"
            refY="3"
            markerWidth="9"
            markerHeight="9"
            markerUnits="userSpaceOnUse"
            orient="auto"
          >
            <path className={style[`${tone}Head`]} d="M0,0L6,3L0,6z" />
          </marker>
        ))}
      </defs>
      {picture.arrows.map((arrow) => (
        <Step
          key={stepKey(arrow.edge.from, arrow.edge.to)}
          arrow={arrow}
          isNear={isOf(choice, arrow)}
          onOver={setOver}
          onChoose={onChoose}
        />
      ))}
      {picture.boxes.map((box) => (
        <Place
          key={box.endpoint}
          box={box}
          isChosen={choice !== null && "endpoint" in choice && choice.endpoint === box.endpoint}
          onOver={setOver}
          onChoose={onChoose}
        />
      ))}
    </svg>
  );
}

function isOf(choice: Choice, { edge }: Arrow): boolean {
  if (choice === null) return false;
  if ("endpoint" in choice) return edge.from === choice.endpoint || edge.to === choice.endpoint;
  return edge.from === choice.from && edge.to === choice.to;
}

interface StepProps {
  arrow: Arrow;
  isNear: boolean;
  onOver: (key: string | null) => void;
  onChoose: (key: string | null) => void;
}

function Step({ arrow, isNear, onOver, onChoose }: StepProps) {
  const { edge, path, wide, isBack } = arrow;
  const key = stepKey(edge.from, edge.to);
  const isLoud = edge.error_share >= LOUD;
  const kinds = [style.step, isLoud && style.loud, isBack && style.back, isNear && style.near];
  return (
    <g
      className={kinds.filter(Boolean).join(" ")}
      onPointerEnter={() => onOver(key)}
      onPointerLeave={() => onOver(null)}
      onClick={(event) => {
        event.stopPropagation();
        onChoose(key);
      }}
    >
      <title>
        {`${edge.from} → ${edge.to}: ${count(edge.count)} times, ${percent(edge.share)} of what follows`}
      </title>
      <path className={style.grip} d={path} />
      <path d={path} strokeWidth={wide} markerEnd={`url(#arrow-${isLoud ? "loud" : "plain"})`} />
    </g>
  );
}

interface PlaceProps {
  box: Box;
  isChosen: boolean;
  onOver: (key: string | null) => void;
  onChoose: (key: string | null) => void;
}

function Place({ box, isChosen, onOver, onChoose }: PlaceProps) {
  const { endpoint, node, x, y, wide, high, again } = box;
  const errors = node?.error_share ?? 0;
  const name = cut(endpoint, wide);
  const failed = errors > 0 && `${percent(errors)} failed`;
  const about = [endpoint, failed, again > 0 && `${plural(again, "time")} after itself`]
    .filter(Boolean)
    .join(", ");
  return (
    <g
      className={isChosen ? `${style.box} ${style.chosenBox}` : style.box}
      onPointerEnter={() => onOver(endpoint)}
      onPointerLeave={() => onOver(null)}
      onClick={(event) => {
        event.stopPropagation();
        onChoose(endpoint);
      }}
    >
      <title>{about}</title>
      <rect x={x} y={y} width={wide} height={high} rx={6} />
      {node ? (
        <>
          <text className={style.name} x={x + 9} y={y + 16}>
            {name}
          </text>
          <text className={style.about} x={x + 9} y={y + 32}>
            {count(node.requests)}
          </text>
          {errors > 0 && (
            <text
              className={errors >= LOUD ? style.errorsLoud : style.about}
              x={x + wide - 9}
              y={y + 32}
              textAnchor="end"
            >
              {wide < FAILED_PX ? percent(errors) : failed}
            </text>
          )}
        </>
      ) : (
        <text className={style.end} x={x + wide / 2} y={y + high / 2 + 4}>
          {endpoint.slice(1, -1)}
        </text>
      )}
    </g>
  );
}

/** The end of a path says more than its beginning. */
function cut(endpoint: string, wide: number): string {
  const most = Math.floor((wide - 18) / CHARACTER_PX);
  const short = shortEndpoint(endpoint);
  return short.length <= most ? short : `…${short.slice(1 - most)}`;
}
