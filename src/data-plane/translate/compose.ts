import { isUntranslatable, type Translation, type Translator, type Untranslatable } from './translation.ts';

/** One translator put behind another: what `first` says is said on by `second`, and the answer comes back the same way. */
export function compose(first: Translator, second: Translator): Translator {
  return {
    from: first.from,
    to: second.to,
    translate: (call) => {
      const near = first.translate(call);
      if (isUntranslatable(near)) return near;
      if (near.instead) {
        const { to, field } = near.instead;
        return { field, message: `${field} needs ${to}, which the nodes of this model do not have. Leave it out.` };
      }
      const far = second.translate(near.call);
      if (isUntranslatable(far)) return inWordsOf(near, far);
      return {
        call: far.call,
        answer: () => {
          const inner = far.answer();
          const outer = near.answer();
          return {
            whole: (answer) => {
              const told = inner.whole(answer);
              return told === null ? null : outer.whole(told);
            },
            event: (event) => inner.event(event).flatMap((told) => outer.event(told)),
            end: (usage) => [...inner.end(usage).flatMap((told) => outer.event(told)), ...outer.end(usage)],
          };
        },
      };
    },
  };
}

/** A client that is told of a field must find it in what it sent. Within a field that has another name there, paths are not the client's. */
function inWordsOf({ nameOf }: Translation, { field, message }: Untranslatable): Untranslatable {
  const [top = ''] = field.split(/[.[]/, 1);
  const name = nameOf?.(top) ?? top;
  return name === top ? { field, message } : { field: name, message: message.replace(field, name) };
}
