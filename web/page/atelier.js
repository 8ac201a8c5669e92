// One page for one call: POST /generate, and the picture it answers with.
// Text of providers is only ever set as text, never as HTML.

'use strict';

const $ = (id) => document.getElementById(id);

$('form').addEventListener('submit', async (event) => {
  event.preventDefault();

  const body = { prompt: $('prompt').value };
  if ($('style').value) { body.style = $('style').value; }
  if ($('room').value) { body.roomType = $('room').value; }

  $('go').disabled = true;
  $('figure').hidden = true;
  $('status').textContent = 'Asking every provider …';

  try {
    const response = await fetch('/generate', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    const answer = await response.json();

    if (!response.ok) {
      $('status').textContent = answer.detail;
      return;
    }

    const picture = $('picture');
    picture.width = answer.width;
    picture.height = answer.height;
    picture.alt = answer.prompt;
    picture.src = answer.url;
    $('caption').textContent = answer.enhancedPrompt;
    $('figure').hidden = false;
    $('status').textContent = `${answer.provider} in ${answer.latencyMs} ms; `
      + answer.attempts.map((a) => `${a.provider}: ${a.outcome}`).join(', ');
  } catch (error) {
    $('status').textContent = 'The server did not answer; try again.';
  } finally {
    $('go').disabled = false;
  }
});
