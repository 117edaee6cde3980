import { FIELDS } from "../filter/fields";
import { Dialog } from "../parts/Dialog";
import style from "./App.module.css";
import { TOUR } from "../tour/step";
import { keysNow } from "./keys";
import { Link } from "./Link";

const NAMES: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  Escape: "esc",
  Enter: "enter",
};

/** What works on this page, and the filter language. */
export function Help({ onClose }: { onClose: () => void }) {
  return (
    <Dialog title="Keys and filters" onClose={onClose}>
      <div className={style.help}>
        <p>
          New here?{" "}
          <Link to={TOUR} onClick={onClose}>
            The tour
          </Link>{" "}
          shows in five steps what one key rule changes, with this service's own figures.
        </p>
        {keysNow().map(([group, keys]) => (
          <section key={group}>
            <h3>{group}</h3>
            <dl>
              {keys.map(({ key, does }) => (
                <div key={key}>
                  <dt>
                    <kbd>{NAMES[key] ?? key}</kbd>
                  </dt>
                  <dd>{does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
        <section>
          <h3>Filter sessions</h3>
          <dl>
            {FIELDS.map(({ name, begins, about }) => (
              <div key={name}>
                <dt className="mono">{begins}</dt>
                <dd>{about}</dd>
              </div>
            ))}
          </dl>
          <p className="soft">
            All terms must hold. A minus in front leaves out, a,b means one of them, 5..9 is a
            range, a * at the end means it begins so; quote what has spaces.
          </p>
        </section>
      </div>
    </Dialog>
  );
}
