// Dinrail.connect opens a connect session from another application.
//
//   Dinrail.connect({ url, mode: "popup" | "iframe", container, onSuccess, onCancel, onError })
//
// url is what POST /v1/admin/connect-sessions answered; the application's origin
// must be among the session's allowed_origins. onSuccess and onCancel get
// { session_id, connection_id }; the token is fetched by the back end. It returns
// a function that closes what was opened.
"use strict";
(() => {
  const connect = ({ url, mode = "popup", container, onSuccess = () => {}, onCancel = () => {}, onError = () => {} }) => {
    let target;
    try {
      target = new URL(url);
    } catch {
      onError({ code: "invalid", message: "url is not the address of a connect session" });
      return () => {};
    }
    let opened, frame, timer;
    const close = () => {
      window.removeEventListener("message", listen);
      clearInterval(timer);
      if (frame) frame.remove();
      if (opened && !opened.closed) opened.close();
    };
    const listen = (e) => {
      const from = frame ? frame.contentWindow : opened;
      if (e.origin !== target.origin || e.source !== from || !e.data || e.data.type !== "dinrail.connect") return;
      const { event, session_id, connection_id } = e.data;
      close();
      if (event === "success") onSuccess({ session_id, connection_id });
      else if (event === "cancel") onCancel({ session_id, connection_id });
    };
    window.addEventListener("message", listen);
    if (mode === "iframe") {
      frame = document.createElement("iframe");
      frame.src = target.href;
      frame.title = "Connect a system";
      frame.referrerPolicy = "no-referrer";
      frame.style.cssText = "width:100%;height:44rem;border:0";
      (container || document.body).append(frame);
      return close;
    }
    opened = window.open(target.href, "dinrail-connect", "popup,width=720,height=860");
    if (!opened) {
      close();
      onError({ code: "popup_blocked", message: "the browser did not open a window; call Dinrail.connect from a click" });
      return () => {};
    }
    timer = setInterval(() => {
      if (opened.closed) {
        close();
        onCancel({ session_id: null, connection_id: null });
      }
    }, 500);
    return close;
  };
  window.Dinrail = Object.assign(window.Dinrail || {}, { connect });
})();
