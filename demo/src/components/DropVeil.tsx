import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { takeFiles } from '../state/own';

/** Takes the files of a model wherever on the page they are dropped. */
export function DropVeil() {
  const isOver = useSignal(false);
  useEffect(() => {
    // Every element that is crossed is entered and left.
    let depth = 0;
    const on = (name: string, listener: (event: DragEvent) => void) => {
      const listen = (event: Event) => {
        if ((event as DragEvent).dataTransfer?.types.includes('Files')) listener(event as DragEvent);
      };
      addEventListener(name, listen);
      return () => removeEventListener(name, listen);
    };
    const set = (next: number) => {
      depth = Math.max(0, next);
      isOver.value = depth > 0;
    };
    const ends = [
      on('dragenter', () => set(depth + 1)),
      on('dragleave', () => set(depth - 1)),
      on('dragover', (event) => event.preventDefault()),
      on('drop', (event) => {
        event.preventDefault();
        set(0);
        takeFiles([...(event.dataTransfer?.files ?? [])]);
      }),
    ];
    return () => {
      for (const end of ends) end();
    };
  }, [isOver]);
  if (!isOver.value) return null;
  return (
    <div class="veil" aria-hidden="true">
      <p>
        <strong>Drop a model: model.safetensors, config.json, tokenizer.json</strong>
        <br />
        It works locally, nothing is uploaded.
      </p>
    </div>
  );
}
