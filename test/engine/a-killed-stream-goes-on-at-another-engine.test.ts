import assert from 'node:assert/strict';
import { engineTest, openai, untilIdle } from './stage.ts';

const ROUNDS = Number(process.env['WEIR_TEST_ROUNDS'] ?? 6);
const slow = { layers: 24, ctx: 2048 };
const request = {
  model: 'tiny',
  temperature: 0,
  max_tokens: 80,
  messages: [{ role: 'user' as const, content: 'Who goes first?' }],
};

engineTest(
  'a stream whose engine is killed at any point goes on at another one with the text that it would have had',
  async ({ engine, weirBefore }) => {
    const survivor = await engine({ ...slow, slots: 1 });
    const undisturbed = await openai(await weirBefore([survivor])).chat.completions.create(request);
    const whole = undisturbed.choices[0]?.message.content ?? '';
    assert.ok(whole.length > 100);
    let same = 0;
    let broken = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      // Far more free slots, so that it is asked first.
      const doomed = await engine({ ...slow, slots: 4 });
      const weir = await weirBefore([doomed, survivor]);
      const stream = await openai(weir).chat.completions.create({ ...request, stream: true });
      const lastPiece = Math.floor(Math.random() * 60);
      let text = '';
      let pieces = 0;
      for await (const { choices } of stream) {
        text += choices[0]?.delta.content ?? '';
        if (pieces === lastPiece) doomed.kill();
        pieces += 1;
      }
      if (text === whole) same += 1;
      await untilIdle(weir);
      const attempts = await (await weir.admin('/metrics')).text();
      if (/weir_attempts_total\{[^}]*end="broken"[^}]*\} 1\n/.test(attempts)) broken += 1;
      await weir.stop();
      await doomed.close();
    }
    assert.ok(broken >= ROUNDS / 2, `only ${broken} of ${ROUNDS} streams were broken before their end`);
    assert.ok(same >= ROUNDS * 0.95, `${same} of ${ROUNDS} streams had the undisturbed text`);
  },
);
