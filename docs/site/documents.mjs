// TypeDoc names a document by its path. Here it goes by its heading, in a folder of the navigation; its address stays.
// What a search finds in guides comes before the rest.
import { RendererEvent } from 'typedoc';

const folders = [
  { start: 'docs/guide/', name: 'Guides', boost: 8 },
  { start: 'docs/performance/', name: 'Performance', boost: 1 },
  { start: 'docs/decisions/', name: 'Decisions', boost: 1 },
  { start: '', name: 'Project', boost: 1 },
];

export function load(app) {
  // The addresses of pages are settled by now.
  app.renderer.on(RendererEvent.BEGIN, ({ project }) => {
    for (const document of project.documents) {
      if (document.name === 'README') continue;
      const text = document.content.map((part) => part.text).join('');
      const [, heading] = text.match(/^# (?:\d+ · )?(.*)$/m);
      const { name, boost } = folders.find(({ start }) => document.name.startsWith(start));
      document.name = `${name}/${heading}`;
      document.relevanceBoost = boost;
    }
  });
}
