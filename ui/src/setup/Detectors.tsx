// Which detectors look, and by which limit.
import { detectorName } from "../words/bot";
import { schemasAt, valuesOf } from "./editor/schema";
import type { Profile } from "./profiles";
import style from "./Setup.module.css";

const DETECTORS = valuesOf(schemasAt(["detection", "[]", "off", "[]"]));

interface Props {
  profile: Profile;
  onSet: (field: keyof Profile, value: unknown) => void;
}

export function Detectors({ profile, onSet }: Props) {
  const { off = [], limits = {} } = profile;
  const set = (name: string, text: string) => {
    const rest = Object.entries(limits).filter(([other]) => other !== name);
    const next = text === "" ? rest : [...rest, [name, Number(text)] as const];
    onSet("limits", next.length === 0 ? null : Object.fromEntries(next));
  };
  return (
    <section aria-label="Detectors">
      <h3>Detectors</h3>
      <details className={style.details} open>
        <summary>
          {DETECTORS.length - off.length} of {DETECTORS.length} look,{" "}
          {Object.keys(limits).length === 0 ? "all by their own limits" : "some by limits set here"}
        </summary>
        <ul className={style.detectors}>
          {DETECTORS.map((name) => (
            <li key={name}>
              <label>
                <input
                  type="checkbox"
                  checked={!off.includes(name)}
                  onChange={() =>
                    onSet(
                      "off",
                      off.includes(name) ? off.filter((other) => other !== name) : [...off, name],
                    )
                  }
                />
                {detectorName(name)}
              </label>
              <input
                className="field number"
                type="number"
                min={0}
                step="any"
                aria-label={`Limit of ${detectorName(name)}`}
                placeholder="its own limit"
                disabled={off.includes(name)}
                value={limits[name] ?? ""}
                onChange={(event) => set(name, event.target.value)}
              />
            </li>
          ))}
        </ul>
      </details>
    </section>
  );
}
