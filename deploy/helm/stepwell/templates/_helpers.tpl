{{- define "stepwell.name" -}}
{{- if contains .Chart.Name .Release.Name }}{{ .Release.Name | trunc 52 | trimSuffix "-" }}
{{- else }}{{ printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "stepwell.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "stepwell.labels" -}}
{{ include "stepwell.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "stepwell.account" -}}
{{- if .Values.serviceAccount.create }}{{ .Values.serviceAccount.name | default (include "stepwell.name" .) }}
{{- else }}{{ .Values.serviceAccount.name | default "default" }}{{ end }}
{{- end }}

{{- define "stepwell.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}
{{- else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end }}
{{- end }}

{{- define "stepwell.url" -}}
{{- .Values.publicUrl | default (printf "http://%s.%s.svc:%v" (include "stepwell.name" .) .Release.Namespace .Values.service.port) }}
{{- end }}

{{- /* The namespaces in which Jobs are made, as JSON. */}}
{{- define "stepwell.namespaces" -}}
{{- prepend .Values.jobs.namespaces (.Values.jobs.namespace | default .Release.Namespace) | uniq | toJson }}
{{- end }}

{{- /* What must hold between values, in sentences. */}}
{{- define "stepwell.check" -}}
{{- if not .Values.database.existingSecret }}
{{- fail "\n\ndatabase.existingSecret is not set. Make a Secret with the address of a PostgreSQL, and name it:\n  kubectl create secret generic stepwell-database --from-literal=url=postgresql://user:password@host/stepwell\n  --set database.existingSecret=stepwell-database\n" }}
{{- end }}
{{- if not .Values.secretKey.existingSecret }}
{{- fail "\n\nsecretKey.existingSecret is not set. Make a Secret with a random key, and name it:\n  kubectl create secret generic stepwell-key --from-literal=secret-key=$(openssl rand -hex 32)\n  --set secretKey.existingSecret=stepwell-key\n" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not .Values.blobs.url) }}
{{- fail "\n\nreplicas is more than 1, and blobs.url is not set. Servers must share logs and large results:\n  --set blobs.url=s3://bucket/stepwell, or --set replicas=1 --set persistence.enabled=true\n" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) .Values.persistence.enabled }}
{{- fail "\n\nreplicas is more than 1, and persistence.enabled is set. One volume is for one server:\n  --set persistence.enabled=false, or --set replicas=1\n" }}
{{- end }}
{{- if and .Values.imagesUrl .Values.allowedHosts }}
{{- $host := (urlParse .Values.imagesUrl).hostname }}
{{- if not (has $host .Values.allowedHosts) }}
{{- fail (printf "\n\nimagesUrl is at %s, which allowedHosts does not have: pods would be refused. Add it to allowedHosts.\n" $host) }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.host) }}
{{- fail "\n\ningress.enabled is set, and ingress.host is not.\n" }}
{{- end }}
{{- end }}

{{- define "stepwell.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "stepwell.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "stepwell.environment" -}}
- name: STEPWELL_DATABASE_URL
  valueFrom: {secretKeyRef: {name: {{ .Values.database.existingSecret }}, key: {{ .Values.database.key }}}}
- name: STEPWELL_SECRET_KEY
  valueFrom: {secretKeyRef: {name: {{ .Values.secretKey.existingSecret }}, key: {{ .Values.secretKey.key }}}}
- {name: STEPWELL_DATA_DIR, value: /data}
{{- end }}

{{- /* A probe of a path, by a Host that the server answers to. */}}
{{- define "stepwell.probe" -}}
{{- $root := index . 0 -}}
httpGet:
  path: {{ index . 1 }}
  port: http
  {{- with $root.Values.allowedHosts }}
  httpHeaders: [{name: Host, value: {{ first . | quote }}}]
  {{- end }}
{{- end }}
